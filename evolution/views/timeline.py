"""The timeline: clients in the order of connecting, the accept queue, the server's processes."""

from evolution.views import base, recorded
from evolution.views.timeline_svg import drawing
from evolution.views.timeline_text import text


class Timeline(base.Growing):
    """Show a run as `Story.as_dict` gives it; without a state, a recorded one, faint and labelled so.

    >>> view = Timeline(experiment.story.as_dict())
    >>> view.push({"kind": "timeline", "now": 1.2, "lanes": [...]})
    """

    _esm = base.module("timeline_model.js", "live.js", "stage.js", "timeline.js")
    _css = base.stylesheet("timeline.css")

    def __init__(self, state=None, **kwargs):
        super().__init__(recorded.timeline() if state is None else state, **kwargs)

    def push(self, update):
        """Take an experiment's update: kinds "timeline", "snapshot", "progress"; others change nothing."""
        kind = update.get("kind")
        if kind == "snapshot":
            self.state = update["state"]
        elif kind == "timeline":
            self.take(update, merge, update.get("running", True))
        elif kind == "progress" and not update.get("running"):
            self.flush()

    def begin(self, state):
        """Start anew with the first state of a run."""
        self.state = state

    def svg(self):
        """Return the static twin: one well-formed SVG, legible on light and dark pages."""
        return drawing(self._latest)

    def text(self):
        """Return the text twin; its first line is the sentence under the picture."""
        return text(self._latest)


def merge(state, update):
    """Apply an increment to a state in place. Raises ValueError when one before it is missing."""
    for table in ("lanes", "processes"):
        known = {lane["id"]: lane for lane in state.setdefault(table, [])}
        for change in update.get(table, ()):
            lane = known.get(change["id"])
            if lane is None:
                lane = {"id": change["id"], "spans": [], "end": None}
                state[table].append(lane)
            lane |= {key: value for key, value in change.items() if key not in ("keep", "spans")}
            lane["spans"] = _from(lane["spans"], change)
    if queue := update.get("queue"):
        old = state.setdefault("queue", {"limit": 0, "steps": []})
        old |= {key: value for key, value in queue.items() if key not in ("keep", "steps")}
        old["steps"] = _from(old["steps"], queue, "steps")
    if bands := update.get("bands"):
        state["bands"] = _from(state.get("bands", []), bands, "steps")
    held = ("kind", "lanes", "processes", "queue", "bands")
    state |= {key: value for key, value in update.items() if key not in held}


def _from(known, change, name="spans"):
    keep = change.get("keep", 0)
    if keep > len(known):
        raise ValueError(f"expected an increment that builds on {len(known)} {name}, not on {keep}")
    return [*known[:keep], *change.get(name, [])]
