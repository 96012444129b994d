"""The map of the course: the generations of servers, what each is for, and how far the learner has come."""

from pathlib import Path
from typing import NamedTuple

from evolution.course import exercise
from evolution.course.progress import Progress
from evolution.views import map as views

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Chapter(NamedTuple):
    """One notebook."""

    number: int
    notebook: str
    title: str
    minutes: int
    """How long it takes, about, with its exercises."""


class Stage(NamedTuple):
    """One step of the evolution."""

    model: str
    chapter: int
    after: str
    """The model that it changes; "" for the first."""
    idea: str


CHAPTERS = (
    Chapter(0, "00_start_here", "Start here", 20),
    Chapter(1, "01_blocking", "Blocking: a queue is not service", 90),
    Chapter(2, "02_fork_zombies", "fork, zombies, prefork", 90),
    Chapter(3, "03_select_poll", "select and poll: one process, many clients", 90),
    Chapter(4, "04_epoll_reactor", "epoll and the Reactor", 90),
    Chapter(5, "05_race", "The race, and your own server", 90),
)

STAGES = (
    Stage("blocking", 1, "", "one process, one client at a time"),
    Stage("fork", 2, "blocking", "a process for each client"),
    Stage("threads", 2, "fork", "a thread for each client"),
    Stage("prefork", 2, "fork", "a crew of processes made beforehand"),
    Stage("select_loop", 3, "threads", "one process asleep for all clients: select"),
    Stage("poll_loop", 3, "select_loop", "the same without the limit of 1,024: poll"),
    Stage("epoll_loop", 4, "poll_loop", "the kernel keeps the list: epoll"),
    Stage("reactor", 4, "epoll_loop", "one thread waits, others work"),
    Stage("multireactor", 4, "epoll_loop", "several loops on one port, as in nginx"),
)


class Map(views.Map):
    """The chapters with their servers, and what the learner's answers have come to; a view in a notebook."""

    def __init__(self, progress=None):
        super().__init__(overview(progress or Progress()))


def overview(progress):
    """Return the state of the map (views.Map) for one answers folder."""
    tasks = {}
    for name, task in exercise.catalogue().items():
        outcomes = {attempt.outcome for attempt in progress.attempts(name)}
        outcome = "passed" if "passed" in outcomes else "tried" if outcomes - {"not_attempted"} else "open"
        found = {"name": name, "title": task.title, "outcome": outcome}
        tasks.setdefault(task.chapter, []).append((task.text.get("number", 0), found))
    return {"chapters": [_chapter(chapter, tasks) for chapter in CHAPTERS]}


def _chapter(chapter, tasks):
    mine = [found for folder in tasks if folder.startswith(f"ch{chapter.number}_") for found in tasks[folder]]
    notebook = f"{chapter.notebook}.ipynb"
    ready = Path(notebook).exists() or (NOTEBOOKS / notebook).exists()
    return {
        "number": chapter.number,
        "title": chapter.title,
        "notebook": notebook,
        "ready": ready,
        "minutes": chapter.minutes,
        "exercises": [found for _, found in sorted(mine, key=lambda pair: pair[0]) if ready],
        "models": [
            {"name": stage.model, "idea": stage.idea, "after": stage.after}
            for stage in STAGES
            if stage.chapter == chapter.number
        ],
    }
