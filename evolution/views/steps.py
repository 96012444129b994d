"""The seven steps of the classic Reactor, one at a time: who waits, what is queued, who works for whom.

    Steps(run.as_dict())       a run of lab.reactor_run; without one, a recorded run, faint and labelled so

All steps are laid out here. The browser gets each different mark once and, for each step, which of them it
shows: so it steps through a run without asking the kernel.
"""

import json

import traitlets

from evolution.views import base, figure
from evolution.views.steps_figure import draw, two_hands


class Steps(base.View):
    """Show a run as `lab.reactor_run.Run.as_dict` gives it."""

    _esm = base.module("figure.js", "steps.js")
    _css = base.stylesheet("figure.css", "steps.css")
    state = traitlets.Dict().tag(sync=True)
    book = traitlets.Dict().tag(sync=True)
    """{width: {"width", "height", "marks": [mark], "frames": [[index of a mark]]}}."""

    more = traitlets.Unicode().tag(sync=True)
    """What is to be said after the last step: a long run goes on."""

    def __init__(self, state=None, **kwargs):
        super().__init__(state=self.example() if state is None else state, **kwargs)

    @staticmethod
    def example():
        """Return the recorded run: real, made with the lab."""
        path = base.STATIC / "steps_recorded.json"
        return json.loads(path.read_text(encoding="utf-8")) | {"recorded": True}

    @traitlets.observe("state")
    def _redraw(self, change):
        self.more = goes_on(change["new"])
        self.book = {str(width): bound(change["new"], width) for width in figure.WIDTHS}

    def svg(self, theme="light"):
        """Return the static twin: the step that says most, 720 px wide; `theme` is "light" or "dark"."""
        state = self.state
        number = telling(state["frames"])
        shown = draw(state, state["frames"][number], figure.WIDTHS[-1])
        said = f"Step {number + 1} of {len(state['frames'])}. {state['frames'][number]['words']}"
        sentence = f"{said} In all: {state['sentence']}"
        return figure.drawing(shown, state["title"], sentence, state["recorded"], theme)

    def text(self):
        """Return the text twin; its first line is the sentence, then one line for each step."""
        state = self.state
        lines = [("Recorded: " if state["recorded"] else "") + state["sentence"], "", state["title"]]
        for number, frame in enumerate(state["frames"], 1):
            if frame["left_out"]:
                lines.append(f"      … {frame['left_out']:,} steps are left out here")
            lines.append(f"{number:4}  [{frame['step']}] {frame['words']}  ({_places(frame)})")
        if self.more:
            lines.append(f"      … {self.more}")
        return "\n".join([*lines, figure.machine(state["machine"])])


def bound(state, width):
    """Return all steps of a run for one width: each different mark once, and the marks of each step."""
    table, frames, height = {}, [], 0
    for frame in state["frames"]:
        drawn = draw(state, frame, width).as_dict()
        height = max(height, drawn["height"])
        keys = [json.dumps(mark, sort_keys=True) for mark in drawn["marks"]]
        for key, mark in zip(keys, drawn["marks"], strict=True):
            table.setdefault(key, (len(table), mark))
        frames.append([table[key][0] for key in keys])
    return {"width": width, "height": height, "marks": [mark for _, mark in table.values()], "frames": frames}


def goes_on(state):
    """A sentence when the run is longer than what is shown of it; else nothing."""
    put = sum(frame["step"] in (3, 6) for frame in state["frames"])
    made = state["counts"]["entries"]
    return f"The run goes on; {put} of its {made:,} entries are shown here." if made > put else ""


def telling(frames):
    """The number of the step that says most: two hands on one connection, else most that is under way."""

    def weight(frame):
        return (two_hands(frame), len(frame["hands"]), frame["length"] if frame["length"] < 9 else 9)

    return max(range(len(frames)), key=lambda i: weight(frames[i]))


def _places(frame):
    watched = ", ".join(f"{name} {flags or 'silent'}" for name, flags in frame["epoll"].items())
    queue = " ".join(frame["queue"]) or "empty"
    more = f" and {frame['length'] - len(frame['queue']):,} more" * (frame["length"] > len(frame["queue"]))
    hands = ", ".join(f"{who} has {name}" for who, name in frame["hands"].items())
    return "; ".join(filter(None, [f"list: {watched or 'empty'}", f"queue: {queue}{more}", hands]))
