"""What a notebook sees of the course: `%%exercise NAME`, `predict(NAME)`, and the verdict card.

The cell is written to answers/NAME.py, with its line numbers kept, and checked in a process of its own;
nothing of it runs in the kernel. Colours come from JupyterLab's theme; each card has a text twin.
"""

import html
import json

import ipywidgets
from IPython.display import display

from evolution.course import exercise, predict, sealed
from evolution.course.progress import Progress
from evolution.course.verdict import OUTCOMES

MARKS = {
    "passed": "✓",
    "wrong": "✗",
    "unrecognised": "✗",
    "crashed": "!",
    "not_attempted": "○",
    "too_slow": "…",
}
EDGES = {"passed": "success", "wrong": "warn", "unrecognised": "warn", "crashed": "error"}
MONO = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"
BOX = (
    "border-left:4px solid var(--jp-{edge}-color1,#757575);padding:0.4em 1em;margin:0.3em 0;max-width:60em;"
    "color:var(--jp-ui-font-color1,inherit);background:var(--jp-layout-color1,transparent);line-height:1.5"
)

BUSY = '<label style="color:var(--jp-content-font-color1,inherit)"><progress></progress> {}</label>'
"""A bar that the browser moves by itself, so that it runs whatever the kernel is doing."""


def escape(text):
    return html.escape(str(text))


def pre(text, kind=""):
    """Return text as it is, in the code font; long lines wrap."""
    style = f"{MONO};white-space:pre-wrap;margin:0.4em 0;color:var(--jp-content-font-color1,inherit)"
    return f'<pre class="evolution-{kind}" style="{style}">{escape(text)}</pre>'


def verdict_html(verdict):
    """Return the verdict as HTML: outcome, what was observed, the misconception, a question."""
    edge = EDGES.get(verdict.outcome, "border")
    title = f"{MARKS[verdict.outcome]} {OUTCOMES[verdict.outcome]}"
    if verdict.diagnosis:
        title = f"{MARKS[verdict.outcome]} {verdict.name or verdict.diagnosis}"
    points = verdict.details.get("points")
    score = f" · {points} of 100 points" if points is not None else ""
    code = f' <code style="{MONO}">{escape(verdict.diagnosis)}</code>' if verdict.diagnosis else ""
    parts = [f"<div><strong>{escape(title)}</strong>{code}{score}</div>"]
    if verdict.evidence:
        parts.append(pre("\n".join(verdict.evidence), "evidence"))
    if verdict.sentence:
        parts.append(f"<div>{escape(verdict.sentence)}</div>")
    if verdict.question:
        parts.append(f'<div style="margin-top:0.5em"><em>{escape(verdict.question)}</em></div>')
    if verdict.output and verdict.outcome in ("crashed", "unrecognised"):
        summary = "what your program printed"
        parts.append(
            f"<details><summary>{summary}</summary>{pre(verdict.output[-4000:], 'output')}</details>"
        )
    body = "".join(parts)
    return f'<div class="evolution-verdict" role="status" style="{BOX.format(edge=edge)}">{body}</div>'


class Card(ipywidgets.VBox):
    """A card: HTML and buttons, with a static twin for places without a kernel."""

    twin_text = twin_html = ""

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs) or {}
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/plain": self.twin_text, "text/html": self.twin_html}
        return (data, *metadata) if metadata else data


class VerdictCard(Card):
    """The verdict with hints, the solution, the difference to the last attempt, and the way back."""

    def __init__(self, verdict, progress):
        self.verdict, self.progress = verdict, progress
        self.task = exercise.load(verdict.exercise)
        self.twin_text, self.twin_html = verdict.text(), verdict_html(verdict)
        self.below = ipywidgets.HTML()
        self.hint = self._button(self._hint_label(), "hint", self._show_hint)
        self.solution = self._button("Show a solution", "solution", self._show_solution)
        self.diff = self._button("Difference to the last attempt", "diff", self._show_diff)
        self.reset = self._button("Back to the starter", "reset", self._reset)
        self.solution.disabled = not progress.solution_is_open(self.task.name)
        self.solution.tooltip = "Opens when you have passed, or after three different attempts"
        self.diff.disabled = len(progress.attempts(self.task.name)) < 2
        buttons = ipywidgets.HBox([self.hint, self.solution, self.diff, self.reset])
        buttons.layout.flex_flow = "row wrap"
        super().__init__([ipywidgets.HTML(self.twin_html), buttons, self.below])
        self.add_class("evolution-card")

    def _button(self, label, name, action):
        button = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
        button.add_class(f"evolution-{name}")
        button.on_click(lambda _: action())
        return button

    def _hint_label(self):
        opened, count = self.progress.hints(self.task.name), len(self.task.hints)
        return f"Hint {min(opened + 1, count)} of {count}" if opened < count else "The hints"

    def _show_hint(self):
        number = min(self.progress.hints(self.task.name) + 1, len(self.task.hints))
        self.progress.open_hint(self.task.name, number)
        lines = "".join(f"<li>{escape(hint)}</li>" for hint in self.task.hints[:number])
        self._show(f'<ol class="evolution-hints">{lines}</ol>')
        self.hint.description = self._hint_label()

    def _show_solution(self):
        if self.progress.solution_is_open(self.task.name):
            name = "solution.json" if self.task.kind == "prediction" else "solution.py"
            self._show(pre(self.task.read(name), "solution-text"))

    def _show_diff(self):
        self._show(pre(self.progress.diff(self.task.name) or "no difference", "diff-text"))

    def _reset(self):
        """The answer so far stays in answers/history; the file becomes the starter again."""
        starter = self.task.read("starter.json" if self.task.kind == "prediction" else "starter.py")
        path = self.progress.write(self.task.name, starter)
        words = f"{path} is the starter again; your attempts are in {self.progress.history(self.task.name)}."
        shown = f"%%exercise {self.task.name}\n{starter}" if self.task.kind == "code" else starter
        self._show(f"<div>{escape(words)} For the cell:</div>{pre(shown, 'starter')}")

    def _show(self, content):
        self.below.value = f'<div style="{BOX.format(edge="border")}">{content}</div>'


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
    display(VerdictCard(verdict, progress))


class PredictionCard(Card):
    """A question with inputs; locked in once, then measured; the picture shows both."""

    def __init__(self, name, progress):
        self.task, self.progress = exercise.load(name), progress
        self.inputs = {each["key"]: self._input(each) for each in self.task.text["inputs"]}
        self.lock = ipywidgets.Button(
            description="Lock in and measure", layout=ipywidgets.Layout(width="auto")
        )
        self.lock.add_class("evolution-lock")
        self.lock.on_click(lambda _: self.measure())
        self.message = ipywidgets.HTML()
        self.picture = ipywidgets.VBox()
        question = f"<strong>{escape(self.task.title)}</strong><p>{escape(self.task.text['task'])}</p>"
        self.twin_html = f'<div style="{BOX.format(edge="info")}">{question}</div>'
        labels = "\n".join(f"  {each['label']}: ?" for each in self.task.text["inputs"])
        self.twin_text = f"{self.task.title}\n{self.task.text['task']}\n{labels}"
        self.verdict = None
        super().__init__(
            [ipywidgets.HTML(self.twin_html), *self.inputs.values(), self.lock, self.message, self.picture]
        )
        self.add_class("evolution-prediction")
        self._recall()

    def _input(self, each):
        style, layout = {"description_width": "22em"}, ipywidgets.Layout(width="32em", max_width="100%")
        label = each["label"]
        if "unit" in each:
            box = ipywidgets.Text(description=label, placeholder=each["unit"], style=style, layout=layout)
        else:
            options = [("choose", ""), *((word, word) for word in each["words"])]
            box = ipywidgets.Dropdown(description=label, options=options, style=style, layout=layout)
        box.add_class(f"evolution-input-{each['key']}")
        return box

    def _recall(self):
        """Show what was locked in before, in another session of the same notebook."""
        attempts = self.progress.attempts(self.task.name)
        if attempts:
            last = attempts[-1]
            words = f"Locked in before: {last.source.strip()} → {last.diagnosis or OUTCOMES[last.outcome]}."
            self.message.value = f"<div>{escape(words)} You can predict and measure again.</div>"

    def measure(self):
        """Lock the guesses in, run the experiment, show the verdict."""
        guesses = {key: box.value for key, box in self.inputs.items()}
        try:
            predict.parse(self.task, guesses)
        except exercise.Finding as finding:
            self.message.value = f"<div>{escape(finding.evidence[0])}</div>"
            return
        self.message.value = BUSY.format("measuring on this machine")
        self._lock(True, "measuring …")  # and the guesses stay locked in; a new card is a new prediction
        try:
            source = json.dumps(guesses, ensure_ascii=False) + "\n"
            path = self.progress.write(self.task.name, source)
            self.verdict = sealed.check(self.task.name, path)
            self.progress.record(self.task.name, source, self.verdict)
            self.twin_text, self.twin_html = self.verdict.text(), verdict_html(self.verdict)
            card = VerdictCard(self.verdict, self.progress)
            self.picture.children = [*timeline(self.verdict.details.get("timeline")), card]
            self.message.value = ""
        finally:
            self._lock(False, "Measure again")

    def _lock(self, busy, label):
        self.lock.disabled, self.lock.description = busy, label
        for box in self.inputs.values():
            box.disabled = True


class RecallCard(Card):
    """One recall card: a question, a place for the answer, and why."""

    def __init__(self, card):
        self.card = card
        self.twin_text = f"{card.question} ({', '.join(card.choices) or card.unit})"
        self.twin_html = f'<div style="{BOX.format(edge="info")}">{escape(card.question)}</div>'
        if card.choices:
            self.box = ipywidgets.Dropdown(options=[("choose", ""), *((each, each) for each in card.choices)])
        else:
            self.box = ipywidgets.Text(placeholder=card.unit)
        self.button = ipywidgets.Button(description="Check", layout=ipywidgets.Layout(width="auto"))
        self.button.add_class("evolution-recall-check")
        self.button.on_click(lambda _: self.check())
        self.said = ipywidgets.HTML()
        super().__init__(
            [ipywidgets.HTML(self.twin_html), ipywidgets.HBox([self.box, self.button]), self.said]
        )
        self.add_class("evolution-recall")

    def check(self):
        try:
            right = self.card.accepts(self.box.value)
        except ValueError as error:
            self.said.value = f"<div>{escape(error)}</div>"
            return
        unit = f" {self.card.unit}" if self.card.unit else ""
        words = (
            "✓ so it is."
            if right
            else f"✗ it is {self.card.answer:g}{unit}."
            if unit
            else f"✗ it is: {self.card.answer}."
        )
        self.said.value = f"<div>{escape(words)} {escape(self.card.why)}</div>"
        self.button.disabled = True


def recall(chapter, seed=None):
    """Show three recall cards of a chapter with new numbers, first those about the learner's own mistakes.

    Raises ValueError for a chapter without cards.
    """
    import secrets

    from evolution.course.recall import cards

    seed = secrets.randbelow(10**6) if seed is None else seed
    made = [RecallCard(card) for card in cards(chapter, seed, Progress().mistakes())]
    box = Card(made)
    box.twin_text = "\n".join(each.twin_text for each in made)
    box.twin_html = "".join(each.twin_html for each in made)
    return box


def timeline(state):
    """Return the Timeline of an experiment in a list, empty when there is nothing to draw."""
    if not state:
        return []
    try:
        from evolution.views import Timeline  # loads a widget library: only when there is something to draw
    except ImportError:
        return []  # the verdict says it in words as well
    return [Timeline(state)]


def ask(name):
    """Show a prediction: its question, inputs, and a button that locks them in and measures.

    Raises UnknownExercise for a name that is no prediction.
    """
    task = exercise.load(name)
    if task.kind != "prediction":
        raise exercise.UnknownExercise(
            f"{name} is not a prediction: write it in a cell that begins %%exercise {name}"
        )
    return PredictionCard(name, Progress())


def register(shell):
    """Add %%exercise and predict() to a notebook."""
    shell.register_magic_function(exercise_magic, magic_kind="cell", magic_name="exercise")
    shell.push({"predict": ask, "recall": recall}, interactive=False)
