"""What all views are made of: one ES module, one stylesheet, and the picture in every form of output.

For whoever writes a view: give the class its file names with `module` and `stylesheet`, `svg()` and `text()`;
the rest is here. anywidget loads a single entry without imports, so language.js goes before the view's file.
"""

import copy
import time
from pathlib import Path

import anywidget
import traitlets

from evolution.views import marks

STATIC = Path(__file__).parent / "static"
EVERY = 1.0
"""Seconds between two settings of a synced trait while a run goes on; each costs a whole state."""


def module(*names):
    """Text of one ES module: the shared language, then the files `names` of views/static in this order."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("language.js", *names))


def stylesheet(*names):
    """Text of one stylesheet: the palette, the shared rules, then the files `names` of views/static."""
    shared = (STATIC / name for name in ("language.css", *names))
    return marks.css() + "\n".join(path.read_text(encoding="utf-8") for path in shared)


class View(anywidget.AnyWidget):
    """A live widget with an SVG twin and a text twin; a subclass says how to draw them: `svg()`, `text()`."""

    language = traitlets.Dict().tag(sync=True)

    @traitlets.default("language")
    def _language(self):
        return marks.language()

    def _repr_mimebundle_(self, **kwargs):
        """The widget for a live notebook; the twins for whatever shows it without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "image/svg+xml": self.svg(), "text/plain": self.text()}, metadata


class Growing(View):
    """A view of something that goes on: `state` is a snapshot, and increments come until it is over.

    A subclass has `push`, and in it `take`, which sends an increment to the browser as a message. The trait,
    which a reload or a second view reads, follows at most once in EVERY seconds and at the end.
    """

    state = traitlets.Dict().tag(sync=True)

    def __init__(self, state, **kwargs):
        super().__init__(state=state, **kwargs)
        self._latest = copy.deepcopy(self.state)
        self._set_at = float("-inf")
        self.on_msg(self._asked)

    @traitlets.observe("state")
    def _adopt(self, change):
        self._latest = copy.deepcopy(change["new"])

    def take(self, update, merge, running):
        """Apply an increment with `merge(state, update)` and tell the browser; `running`: are there more?"""
        merge(self._latest, update)
        self.send(update)
        if not running or time.monotonic() - self._set_at >= EVERY:
            self.flush()

    def flush(self):
        """Put what was pushed into the synced trait."""
        self._set_at = time.monotonic()
        if self._latest != self.state:
            self.state = copy.deepcopy(self._latest)

    def _asked(self, _, content, __):
        if content.get("kind") == "snapshot please":  # the browser has missed an increment
            self.send({"kind": "snapshot", "state": self._latest})
