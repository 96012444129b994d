"""System calls: one lane for each thread, a call is a bar as long as it lasted; below, a request's cost."""

from evolution.views import base
from evolution.views.syscalls_recorded import recorded
from evolution.views.syscalls_svg import drawing
from evolution.views.syscalls_text import text


class SysCalls(base.Growing):
    """Show a trace as `TraceStory.as_dict` gives it; without a state, a recorded one, faint and labelled so.

    >>> view = SysCalls(story.as_dict())
    >>> view.push(story.changes())
    """

    _esm = base.module("timeline_model.js", "live.js", "stage.js", "syscalls_model.js", "syscalls.js")
    _css = base.stylesheet("timeline.css", "syscalls.css")

    def __init__(self, state=None, **kwargs):
        super().__init__(recorded() if state is None else state, **kwargs)

    def push(self, update):
        """Take an increment, kind "calls"."""
        self.take(update, merge, update["running"])

    def svg(self):
        """Return the static twin: one well-formed SVG, legible on light and dark pages."""
        return drawing(self._latest)

    def text(self):
        """Return the text twin; its first line is the sentence under the picture."""
        return text(self._latest)


def merge(state, update):
    """Apply an increment to a state in place. Raises ValueError when one before it is missing."""
    known = {lane["id"]: lane for lane in state.get("lanes", [])}
    for change in update["lanes"]:
        lane = known.setdefault(change["id"], {"id": change["id"], "spans": []})
        drop, keep = change["drop"], change["keep"]
        if len(lane["spans"]) < drop + keep:
            known = f"{len(lane['spans'])} calls of {change['label']}"
            raise ValueError(f"expected an increment that builds on {known}, not on {drop + keep}")
        held = ("drop", "keep", "spans")
        lane |= {key: value for key, value in change.items() if key not in held}
        lane["spans"] = [*lane["spans"][drop : drop + keep], *change["spans"]]
    state["lanes"] = [known[name] for name in update["order"]]
    held = ("kind", "lanes", "order")
    state |= {key: value for key, value in update.items() if key not in held}
