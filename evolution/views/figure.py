"""A figure: a picture as a list of plain marks, drawn alike by the browser and by the static twin.

A view that is not played but read (scaling, survival, race) lays out its marks here once for each width in
WIDTHS; static/figure.js shows the widest that fits, and `drawing` makes the SVG twin from the same list. So
the two cannot differ, and the layout is tested in Python.

Colours are roles of marks.PALETTE. A mark may carry a key (what the legend lights up), a tip (what pointing
at it says: a head, rows, the kernel's own words), an item (the keyboard stops there), and data for whoever
clicks on it or tests it.
"""

import textwrap
from html import escape

from evolution.views.shapes import ghost, glyph, painter, tag, words

WIDTHS = (320, 520, 720)
STYLE = "".join(
    f".evo-figure-twin {rule}"
    for rule in (
        "text{font:11px system-ui,sans-serif;font-variant-numeric:tabular-nums;dominant-baseline:central}",
        "text.title{font-size:14px;font-weight:600}",
        "text.name{font-size:12px}",
        "text.heading{font-weight:600}",
        "text.call{font-family:monospace}",
        "text.said{font-size:13px}",
    )
)
LETTER = 6.1
"""Pixels that a letter of 11 px takes on average; a bold one takes a little more."""


class Figure:
    """The marks of one picture, `width` px wide; set `height` when all is placed."""

    def __init__(self, width):
        self.width, self.height, self.marks = width, 0, []

    def add(self, kind, *, paint=None, text=None, look=None, halo=None, glyph=None, at=None, name=None,
            key=None, lights=None, tip=None, data=None, item=False, **attributes):  # fmt: skip
        """Add an SVG element; `paint` is {"fill": role, "stroke": role}.

        `name` tells which mark of the picture before this is: what has one moves, the rest is drawn anew.
        `key` is what the mark means to the legend, `lights` the key that it lights up itself.
        """
        mark = {"kind": kind, "paint": {"fill": None, **(paint or {})}}
        mark["set"] = {attribute.replace("_", "-"): _short(value) for attribute, value in attributes.items()}
        more = {"text": text, "look": look, "halo": halo, "glyph": glyph, "at": at, "name": name}
        more |= {"key": key, "lights": lights, "tip": tip, "data": data, "item": item}
        self.marks.append(mark | {word: value for word, value in more.items() if value not in (None, False)})

    def text(self, x, y, said, colour="ink", look="", anchor="start", halo=False, **more):
        """Add text with its middle at `y`. `look`: "", "name", "heading", "call", or several of them."""
        pens = {"paint": {"fill": colour}, "text": str(said), "look": look, "halo": halo}
        self.add("text", x=x, y=y, text_anchor=anchor, **pens, **more)

    def lines(self, x, y, said, colour="ink"):
        """Add text in as many lines as it needs; return where it ends."""
        for row in textwrap.wrap(said, int((self.width - x) / 6)):
            self.text(x, y, row, colour)
            y += 15
        return y

    def glyph(self, x, y, shape, colour, **more):
        """Add the mark of an end (GLYPHS in marks.py), or "ghost", that of a prediction."""
        self.add("glyph", paint={"fill": colour}, glyph=shape, at=[_short(x), _short(y)], **more)

    def line(self, x0, y0, x1, y1, colour="rule", thick=1, dash=None, **more):
        ends = {"x1": x0, "y1": y0, "x2": x1, "y2": y1, "stroke_width": thick}
        if dash:
            ends["stroke_dasharray"] = dash
        self.add("line", paint={"stroke": colour}, **ends, **more)

    def hit(self, x, y, width, height, **more):
        """Add an unseen place to point at, bigger than the mark below it."""
        self.add("rect", x=x, y=y, width=width, height=height, pointer_events="all", **more)

    def as_dict(self):
        return {"width": self.width, "height": _short(self.height), "marks": self.marks}


def drawing(figure, title, sentence, recorded=False, theme="light"):
    """Return a figure as a well-formed SVG with its title and its sentence; `theme` as in shapes.painter."""
    paint, shown = painter(theme), figure.as_dict()
    width = figure.width
    said = textwrap.wrap(("Recorded: " if recorded else "") + sentence, int(width / 6.9))
    below = 34 + shown["height"] + 12
    height = below + 18 * len(said) + 6
    parts = [
        f"<title>{escape(title)}</title><desc>{escape(sentence)}</desc><style>{STYLE}</style>",
        tag("rect", x=-8, width=width + 16, height=height, fill=paint("page")),
        words(4, 14, title, paint, class_="title"),
        tag("g", *(_element(mark, paint) for mark in shown["marks"]), transform="translate(0,30)"),
        *(words(4, below + 18 * i, line, paint, class_="said") for i, line in enumerate(said)),
    ]
    box = {"width": width + 16, "height": height, "viewBox": f"-8 0 {width + 16} {height:g}"}
    return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", role="img", class_="evo-figure-twin", **box)


def _element(mark, paint):
    attributes = {name.replace("-", "_"): value for name, value in mark["set"].items()}
    facts = {f"data_{name}": str(value) for name, value in (mark.get("data") or {}).items()}
    if mark.get("key"):
        facts["data_key"] = mark["key"]
    tip = tag("title", escape(_said(mark["tip"]))) if mark.get("tip") else ""
    fill, stroke = mark["paint"]["fill"], mark["paint"].get("stroke")
    if mark["kind"] == "text":
        x, y = attributes.pop("x"), attributes.pop("y")
        kind = {"class_": mark["look"]} if mark["look"] else {}
        drawn = words(x, y, mark["text"], paint, fill, mark.get("halo"), **kind, **attributes)
        return tag("g", tip, drawn, **facts) if tip or facts else drawn
    if mark["kind"] == "glyph":
        shape = ghost(0, 0, paint) if mark["glyph"] == "ghost" else glyph(mark["glyph"], fill, paint)
        x, y = mark["at"]
        return tag("g", tip, shape, transform=f"translate({x:g},{y:g})", **facts)
    pens = {"fill": paint(fill) if fill else "none", "stroke": paint(stroke) if stroke else None}
    return tag(mark["kind"], *([tip] if tip else []), **pens, **attributes, **facts)


def _said(tip):
    return "\n".join([tip["head"], *tip.get("rows", []), *filter(None, [tip.get("words")])])


def tip(head, *rows, words=""):
    """Return what pointing at a mark says: a head, rows of exact figures, the kernel's own words."""
    return {"head": head, "rows": [row for row in rows if row], "words": words}


def spaced(places, least, low, high):
    """Move places along an axis apart, so that there are `least` px between neighbours; return them in order.

    `places` is [y]; the result has the same order, each as near to its own place as the others let it, all
    between `low` and `high` if there is room.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, at in zip([None, *order], order, strict=False):
        floor = low if before is None else moved[before] + least
        moved[at] = max(places[at], floor)
    ceiling = high
    for at in reversed(order):
        moved[at] = min(moved[at], ceiling)
        ceiling = moved[at] - least
    return moved


def machine(facts):
    """Return in words where and when it was measured: "Linux 6.18.0, 2 cores, Python 3.11.2, 2026-11-24"."""
    if not facts:
        return ""
    cores = "1 core" if facts["cores"] == 1 else f"{facts['cores']} cores"
    return f"{facts['kernel']}, {cores}, Python {facts['python']}, {facts['date']}"


def _short(value):
    return round(value, 2) if isinstance(value, float) else value
