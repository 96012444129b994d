"""The diff: two models side by side, the changed idea highlighted, what is as before folded away."""

import traitlets

from evolution.views import base, code
from evolution.views.diff_scene import scene
from evolution.views.diff_svg import drawing
from evolution.views.diff_text import text


class Diff(base.View):
    """Show two texts: {"old": {"name", "text"}, "new": {"name", "text"}, "words": what is said of the step}.

    >>> Diff({"old": {"name": "mine", "text": "a = 1"}, "new": {"name": "yours", "text": "a = 2"}})
    """

    _esm = base.module("diff.js")
    _css = code.css(".evo-diff") + base.stylesheet("diff.css")
    scene = traitlets.Dict().tag(sync=True)

    def __init__(self, state, **kwargs):
        super().__init__(scene=scene(state), **kwargs)
        self.on_msg(self._asked)

    def svg(self, theme="light"):
        """Return the static twin: one well-formed SVG, legible on light and dark pages."""
        return drawing(self.scene, theme)

    def text(self):
        """Return the text twin; its first line is the sentence above the picture."""
        return text(self.scene)

    def _asked(self, _, content, __):
        if content.get("kind") == "svg please":  # to be saved: the browser has a table, and no picture
            theme = "dark" if content.get("dark") else "light"
            self.send({"kind": "svg", "svg": self.svg(theme), "as": content.get("as")})
