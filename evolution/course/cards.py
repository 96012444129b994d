"""Cards: what a notebook shows of a verdict. HTML and buttons, with a text twin for places without a kernel.

Colours come from JupyterLab's theme; a mark stands beside each colour.
"""

import html
import re

import ipywidgets

from evolution.course import exercise, report
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


MARKED = re.compile(
    r"`(?P<code>[^`]+)`"  # first: a star in code is a star
    r"|(?<![\w*])\*\*(?P<strong>[^\s*`](?:[^*`]*[^\s*`])?)\*\*(?![\w*])"
    r"|(?<![\w*])\*(?P<em>[^\s*`](?:[^*`]*[^\s*`])?)\*(?![\w*])"
)


def prose(text):
    """Return a sentence of ours as HTML: `code`, *emphasis* and **strong**; all else as it stands."""
    return MARKED.sub(_tagged, escape(text))


def _tagged(found):
    kind = found.lastgroup
    style = f' style="{MONO}"' if kind == "code" else ""
    return f"<{kind}{style}>{found[kind]}</{kind}>"


def pre(text, kind=""):
    """Return text as it is, in the code font; long lines wrap."""
    style = f"{MONO};white-space:pre-wrap;margin:0.4em 0;color:var(--jp-content-font-color1,inherit)"
    return f'<pre class="evolution-{kind}" style="{style}">{escape(text)}</pre>'


def box(content, edge="border"):
    """Return content, which is HTML, as a block with a coloured edge."""
    return f'<div style="{BOX.format(edge=edge)}">{content}</div>'


def button(label, name, action, tooltip=""):
    """Return a button; tests and styles know it as `evolution-NAME`."""
    made = ipywidgets.Button(description=label, tooltip=tooltip, layout=ipywidgets.Layout(width="auto"))
    made.add_class(f"evolution-{name}")
    made.on_click(lambda _: action())
    return made


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
        parts.append(f"<div>{prose(verdict.sentence)}</div>")
    if verdict.question:
        # Emphasis in italics is upright, as in print.
        words = prose(verdict.question).replace("<em>", '<em style="font-style:normal">')
        parts.append(f'<div style="margin-top:0.5em"><em>{words}</em></div>')
    if verdict.output and verdict.outcome in ("crashed", "unrecognised"):
        summary = "what your program printed"
        parts.append(
            f"<details><summary>{summary}</summary>{pre(verdict.output[-4000:], 'output')}</details>"
        )
    body = "".join(parts)
    return f'<div class="evolution-verdict" role="status" style="{BOX.format(edge=edge)}">{body}</div>'


def timeline(state):
    """Return the Timeline of an experiment in a list, empty when there is nothing to draw."""
    if not state:
        return []
    try:
        from evolution.views import Timeline  # loads a widget library: only when there is something to draw
    except ImportError:
        return []  # the verdict says it in words as well
    return [Timeline(state)]


class Card(ipywidgets.VBox):
    """A card: HTML and buttons, with a static twin for places without a kernel."""

    twin_text = twin_html = ""

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs) or {}
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/plain": self.twin_text, "text/html": self.twin_html}
        return (data, *metadata) if metadata else data


class VerdictCard(Card):
    """The verdict with its replay, hints, the solution, the difference to the last attempt, and the way back.

    `source` is the answer that the verdict is on: a report holds both.
    """

    def __init__(self, verdict, progress, source=""):
        self.verdict, self.progress, self.source = verdict, progress, source
        self.task = exercise.load(verdict.exercise)
        self.twin_text, self.twin_html = verdict.text(), verdict_html(verdict)
        self.below = ipywidgets.HTML()
        self.picture = ipywidgets.VBox()
        self.replay = button("Replay on the timeline", "replay", self._replay)
        self.hint = button(self._hint_label(), "hint", self._show_hint)
        late = "Opens when you have passed, or after three different attempts"
        self.solution = button("Show a solution", "solution", self._show_solution, late)
        self.solution.disabled = not progress.solution_is_open(self.task.name)
        self.diff = button("Difference to the last attempt", "diff", self._show_diff)
        self.diff.disabled = len(progress.attempts(self.task.name)) < 2
        self.reset = button("Back to the starter", "reset", self._reset)
        self.report = button(*self._report_label())
        buttons = ipywidgets.HBox(list(self._buttons()))
        buttons.layout.flex_flow = "row wrap"
        super().__init__([ipywidgets.HTML(self.twin_html), buttons, self.picture, self.below])
        self.add_class("evolution-card")

    def _buttons(self):
        if self.task.kind == "code" and self.verdict.details.get("timeline"):
            yield self.replay  # a prediction's picture is above its verdict already
        yield from (self.hint, self.solution, self.diff, self.reset)
        if self.verdict.outcome in ("unrecognised", "passed") and self.task.kind == "code":
            yield self.report

    def _replay(self):
        """Show, or put away, what the clients of the check and /proc saw."""
        shown = bool(self.picture.children)
        self.picture.children = [] if shown else timeline(self.verdict.details["timeline"])
        self.replay.description = "Replay on the timeline" if shown else "Put the timeline away"

    def _hint_label(self):
        opened, count = self.progress.hints(self.task.name), len(self.task.hints)
        return f"Hint {min(opened + 1, count)} of {count}" if opened < count else "The hints"

    def _show_hint(self):
        number = min(self.progress.hints(self.task.name) + 1, len(self.task.hints))
        self.progress.open_hint(self.task.name, number)
        lines = "".join(f"<li>{prose(hint)}</li>" for hint in self.task.hints[:number])
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

    def _report_label(self):
        if self.verdict.passed:
            words = "It is wrong all the same: save a report"
            return words, "report", self._save_report, "For an answer that succeeds against the checker"
        return "Save a report", "report", self._save_report, "For whoever maintains this checker"

    def _save_report(self):
        why = "it passed, and it is wrong" if self.verdict.passed else ""
        path = report.save(self.verdict, self.source, why, self.progress.folder / report.FOLDER.name)
        words = f"{path} holds your answer, this verdict, and what this machine is. Nothing has been sent."
        self._show(f'<div class="evolution-report-text">{escape(words)}</div>')
        self.report.disabled = True

    def _show(self, content):
        self.below.value = box(content)
