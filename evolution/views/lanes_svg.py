"""What the static twins of a time axis share: places, the page, the axis, names and legend; in one SVG.

It is the twins' static/stage.js. A picture stands on a page of its own colour, since nobody knows what is
behind it.
"""

import textwrap
from html import escape

from evolution.views import marks
from evolution.views.shapes import entry, hatching, key, tag, words
from evolution.views.timeline_state import ticks

WIDTH = 720
L = marks.LAYOUT
STYLE = "".join(
    f".evo-twin {rule}"  # a page of pictures has one style sheet: nobody else's text may be meant
    for rule in (
        "text{font:11px system-ui,sans-serif;font-variant-numeric:tabular-nums;dominant-baseline:central}",
        "text.title{font-size:14px;font-weight:600}",
        "text.name{font-size:12px}",
        "text.head{font-weight:600}",
        "text.call{font-family:monospace}",
        "text.said{font-size:13px}",
    )
)


class Lanes:
    """Lanes over an axis that reaches to `end` seconds, 720 px wide; `paint` turns a role into a colour."""

    def __init__(self, state, paint, end):
        self.state, self.paint, self.end = state, paint, end
        low, high = L["gutter"]
        self.left = round(min(high, max(low, WIDTH * L["gutter_share"])))
        self.right = WIDTH - L["right"]

    def x(self, t):
        return self.left + t / self.end * (self.right - self.left)

    def page(self, title, floor, names, drawn):
        """Return the whole picture: `drawn` ends at `floor` px, then come the legend of `names` and the
        sentence; the title of the state, or else `title`, stands above."""
        state, paint = self.state, self.paint
        legend, depth = self.legend(floor + 18, names)
        said = textwrap.wrap(("Recorded: " if state["recorded"] else "") + state["sentence"], 104)
        below = 34 + floor + depth
        height = below + 18 * len(said) + 8
        title = state["title"] or title
        parts = [
            f"<title>{escape(title)}</title><desc>{escape(state['sentence'])}</desc>",
            f"<style>{STYLE}</style>",
            hatching(paint),
            tag("rect", x=-8, width=WIDTH + 16, height=height, fill=paint("page")),
            words(4, 14, title, paint, class_="title"),
            tag("g", *drawn, *legend, transform="translate(0,30)"),
            *(words(4, below + 18 * i, line, paint, class_="said") for i, line in enumerate(said)),
        ]
        box = {"width": WIDTH + 16, "height": height, "viewBox": f"-8 0 {WIDTH + 16} {height}"}
        return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", role="img", class_="evo-twin", **box)

    def axis(self, floor):
        """Yield the ticks, with lines down to `floor` px."""
        for t, said in ticks(self.end, (self.right - self.left) / 84):
            x = self.x(t)
            line = {"x1": x, "x2": x, "y1": L["axis"] - 4, "y2": floor - 4}
            yield tag("line", stroke=self.paint("rule"), **line)
            anchor = "end" if x > self.right - 16 else "start" if x < self.left + 4 else "middle"
            x = min(x + 14, WIDTH - 2) if anchor == "end" else x
            yield words(x, 11, said, self.paint, "soft", text_anchor=anchor)

    def name(self, y, said, inset=0):
        """Return the name of a lane, cut to its room."""
        most = int((self.left - 10 - inset) / 6.2)
        said = said if len(said) <= most else said[: most - 1] + "…"
        return words(4 + inset, y, said, self.paint, class_="name")

    def legend(self, y, names):
        x, top, drawn = 0.0, y, []
        for name in names:
            word, meaning = entry(name)
            wide = 40 + 6.6 * len(word)
            if x + wide > WIDTH:
                x, y = 0.0, y + 20
            sample = tag("g", key(name, self.paint), transform=f"translate({x:g},{y:g})")
            drawn.append(tag("g", tag("title", escape(meaning)), sample, words(x + 34, y, word, self.paint)))
            x += wide + 8
        return drawn, y - top + 44
