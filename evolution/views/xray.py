"""The X-ray: processes, the kernel's objects, clients, and lines from descriptors to what they mean."""

import time

import traitlets

from evolution.views import base, marks, recorded
from evolution.views.xray_scene import scene
from evolution.views.xray_svg import MEASURES, drawing
from evolution.views.xray_words import text


class XRay(base.View):
    """Show one sample of a server, as `lab.procfs.snapshot` gives it; without one, a recorded sample.

    >>> view = XRay(snapshot(server.pid, server.address.port))
    >>> view.push({"kind": "xray", "state": snapshot(server.pid, server.address.port)})
    """

    _esm = base.module("xray.js")
    _css = base.stylesheet("xray.css")
    state = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)

    def __init__(self, state=None, **kwargs):
        self._shown = self._latest = None
        self._set_at = float("-inf")
        state = recorded.xray() if state is None else state
        super().__init__(state=state, scene=scene(state), **kwargs)
        self._shown = self.scene

    @traitlets.default("language")
    def _language(self):
        return marks.language() | {"xray": MEASURES}

    @traitlets.observe("state")
    def _redraw(self, change):
        self._shown = self.scene = scene(change["new"])

    def push(self, update):
        """Take an update of an experiment: ``{"kind": "xray", "state": …}``; other kinds change nothing.

        The browser is told at once, by a message, and only if something changed; the synced traits, which a
        reload or a second view reads, follow at most once in `base.EVERY` seconds, and when the run is over.
        """
        if update.get("kind") == "progress" and not update.get("running"):
            self.flush()
        if update.get("kind") != "xray":
            return
        self._latest = update["state"]
        drawn = scene(self._latest)
        if drawn != self._shown:
            self._shown = drawn
            self.send({"kind": "xray", "scene": drawn})
        if time.monotonic() - self._set_at >= base.EVERY:
            self.flush()

    def flush(self):
        """Put the last sample into the synced traits, for a reload, a second view, or the saved notebook."""
        if self._latest is not None and self._latest != self.state:
            self.state = self._latest
        self._set_at = time.monotonic()

    def svg(self):
        """Return the static twin: one well-formed SVG, legible on light and dark pages."""
        return drawing(self._shown)

    def text(self):
        """Return the text twin; its first line is the sentence under the picture."""
        return text(self._shown)
