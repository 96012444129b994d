"""The same crowd against several servers, as one moving picture: an SVG that plays by itself.

Each timeline is uncovered from left to right, all by the same clock; CSS moves the covers, so it also plays
where scripts may not run, as in a README on GitHub. Who prefers less motion sees the whole picture at once.
"""

import re
from html import escape

from evolution.views import timeline_state as model
from evolution.views.lanes_svg import WIDTH, L
from evolution.views.shapes import painter, tag
from evolution.views.timeline_svg import _Drawing

SLOWER = 3.0
"""Seconds of the picture for one second of the run."""

HOLD = 4.0
"""Seconds for which the whole picture stays."""


class _Covered(_Drawing):
    """A timeline with a cover over its marks, which `page` puts below the legend."""

    def legend(self, y, names):
        legend, depth = super().legend(y, names)
        top, bottom = L["axis"], y - 18
        cover = {"x": self.left, "y": top, "width": WIDTH + 8 - self.left, "height": bottom - top}
        hand = {"x1": self.left, "x2": self.left, "y1": top - 4, "y2": bottom}
        parts = [tag("rect", fill=self.paint("page"), **cover), tag("line", stroke=self.paint("ink"), **hand)]
        return [tag("g", *parts, class_="cover"), *legend], depth


def moving(states, theme="light"):
    """Return one SVG of several Timeline states, one below the other; they share the scale of time."""
    states = [model.whole(state) for state in states]
    end = max(model.reach(state) for state in states)
    paint, drawn, y = painter(theme), [], 0
    for state in states:
        made = _Covered({**state, "end": end, "running": False}, paint)
        text = made.svg()
        height = float(re.search(r'height="([\d.]+)"', text)[1])
        drawn.append(text.replace("<svg ", f'<svg y="{y}" ', 1))
        y += height + 6
    run, whole = end * SLOWER, end * SLOWER + HOLD
    share = 100 * run / whole
    way = made.right - made.left + 20
    rules = (
        f"@keyframes uncover{{0%{{transform:none}}{share:.1f}%{{transform:translateX({way}px);opacity:1}}"
        f"{share + 1:.1f}%,100%{{transform:translateX({way}px);opacity:0}}}}"
        f".cover{{animation:uncover {whole:.1f}s linear infinite}}"
        "@media(prefers-reduced-motion:reduce){.cover{display:none}}"
    )
    box = {"width": WIDTH + 16, "height": y, "viewBox": f"0 0 {WIDTH + 16} {y}"}
    title = " and ".join(state["sentence"] for state in states)
    return tag(
        "svg",
        f"<title>{escape(title)}</title><style>{rules}</style>",
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        style="overflow:hidden",
        **box,
    )
