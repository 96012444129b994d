"""What a notebook gets of the course: `%%exercise NAME`, `%%program`, `predict(NAME)`, `recall(CHAPTER)`.

The cell is written to answers/NAME.py, with its line numbers kept, and checked in a process of its own;
nothing of it runs in the kernel.
"""

import ipywidgets
from IPython.display import display

from evolution.course import asked, exercise, final, fool, kept, program, sealed, suspects
from evolution.course.cards import BUSY, VerdictCard
from evolution.course.progress import Progress


def exercise_magic(line, cell):
    """%%exercise NAME: write this cell to answers/NAME.py, check it in the sandbox, show the verdict."""
    words = line.split()
    if len(words) != 1:
        names = ", ".join(name for name, task in exercise.catalogue().items() if task.kind == "code")
        print(f"expected %%exercise and one name, one of {names}; not {line!r}")
        return
    try:
        task = exercise.load(words[0])
    except exercise.UnknownExercise as error:
        print(error)
        return
    if task.kind == "prediction":
        print(f"{task.name} is a prediction: call predict({task.name!r})")
        return
    progress = Progress()
    source = f"# %%exercise {task.name}\n{cell}"  # the first line: so that line numbers are the cell's
    path = progress.write(task.name, source)
    waiting = ipywidgets.HTML(BUSY.format("checking your answer"))
    handle = display(waiting, display_id=True)
    try:
        verdict = sealed.check(task.name, path)
    except KeyboardInterrupt:
        print(f"interrupted: nothing was judged, your answer is kept in {path}")
        return
    finally:
        waiting.close()
        if handle:
            handle.update({"text/plain": ""}, raw=True)  # nothing of the bar stays in the saved notebook
    progress.record(task.name, source, verdict)
    display(VerdictCard(verdict, progress, source))


def register(shell):
    """Add %%exercise, %%program, %%fool, predict(), recall() and progress_card() to a notebook."""
    shell.register_magic_function(exercise_magic, magic_kind="cell", magic_name="exercise")
    shell.register_magic_function(program.program_magic, magic_kind="cell", magic_name="program")
    shell.register_magic_function(fool.fool_magic, magic_kind="cell", magic_name="fool")
    given = {
        "predict": asked.ask,
        "recall": asked.recall,
        "progress_card": kept.progress_card,
        "capstone": final.capstone,
        "desk": suspects.desk,
    }
    shell.push(given, interactive=False)
