"""A view that is a figure: state in, one Figure for each width out, the same for the browser and the twin."""

import json

import traitlets

from evolution.views import base, figure


class Drawn(base.View):
    """Show a state; without one, the recorded run of the file `recorded`, faint and labelled so.

    A subclass names that file and says how to draw a state: `draw(state, width)` gives a Figure, `words`
    the text twin without its first line.
    """

    recorded = ""
    state = traitlets.Dict().tag(sync=True)
    figures = traitlets.Dict().tag(sync=True)

    def __init__(self, state=None, **kwargs):
        super().__init__(state=self.example() if state is None else state, **kwargs)

    @classmethod
    def example(cls):
        """Return the recorded state: real, made with the lab."""
        return json.loads((base.STATIC / cls.recorded).read_text(encoding="utf-8")) | {"recorded": True}

    @traitlets.observe("state")
    def _redraw(self, change):
        state = change["new"]
        self.figures = {str(width): self.draw(state, width).as_dict() for width in figure.WIDTHS}

    def svg(self, theme="light"):
        """Return the static twin: one well-formed SVG, 720 px wide; `theme` is "light" or "dark"."""
        state = self.state
        shown = self.draw(state, figure.WIDTHS[-1])
        return figure.drawing(shown, state["title"], state["sentence"], state["recorded"], theme)

    def text(self):
        """Return the text twin; its first line is the sentence under the picture."""
        said = ("Recorded: " if self.state["recorded"] else "") + self.state["sentence"]
        return "\n".join([said, "", *self.words(self.state)])

    def draw(self, state, width):
        raise NotImplementedError("a view says how it is drawn")

    def words(self, state):
        raise NotImplementedError("a view says how it reads")
