"""The diff's static twin: one SVG with the two texts side by side, and in one line each what is as before."""

import textwrap
from html import escape

from evolution.views.code import KINDS
from evolution.views.diff_text import said
from evolution.views.shapes import MONO, painter, tag, words

WIDTH, LINE, NUMBER = 900, 16, 34
HALF = WIDTH // 2
COLUMNS = int((HALF - NUMBER - 12) / MONO)
"""Letters in a line of one side."""

STYLE = "".join(
    f".evo-diff-twin {rule}"
    for rule in (
        "text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;dominant-baseline:central;white-space:pre}",
        "text.title{font:600 14px system-ui,sans-serif}",
        "text.said{font:13px system-ui,sans-serif}",
        "text.fold{font:12px system-ui,sans-serif}",
        "text.name{font-weight:600}",
    )
)


def drawing(scene, theme="light"):
    """Return a well-formed SVG of a scene of diff_scene, 900 px wide; folded lines stay folded.

    `theme` is "light" or "dark"; ValueError for another.
    """
    paint = painter(theme)
    pen = _Pen(paint, 1 if theme == "dark" else 0)
    y = 40
    for line in textwrap.wrap(said(scene), 128):
        pen.drawn.append(words(4, y, line, paint, class_="said"))
        y += 18
    y += 12
    for x, side in ((NUMBER, scene["old"]), (HALF + NUMBER, scene["new"])):
        pen.drawn.append(words(x, y, side["name"], paint, class_="name"))
    y += 14
    pen.drawn.append(tag("line", x1=0, x2=WIDTH, y1=y, y2=y, stroke=paint("rule")))
    top, y = y, y + 8
    for part in scene["parts"]:
        for segment in part["segments"]:
            y = pen.fold(y, segment["said"]) if segment["fold"] else pen.rows(y, segment["rows"])
        y += 7
    title = f"{scene['old']['name']} → {scene['new']['name']}"
    parts = [
        f"<title>{escape(title)}</title><desc>{escape(said(scene))}</desc><style>{STYLE}</style>",
        tag("rect", x=-8, width=WIDTH + 16, height=y + 8, fill=paint("page")),
        words(4, 16, title, paint, class_="title"),
        *pen.drawn,
        tag("line", x1=HALF, x2=HALF, y1=top, y2=y, stroke=paint("rule")),
    ]
    box = {"width": WIDTH + 16, "height": y + 8, "viewBox": f"-8 0 {WIDTH + 16} {y + 8}"}
    return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", role="img", class_="evo-diff-twin", **box)


class _Pen:
    """Draws rows from top to bottom; each method returns where it ends."""

    def __init__(self, paint, column):
        self.paint, self.column, self.drawn = paint, column, []

    def fold(self, y, text):
        self.drawn.append(words(6, y + LINE / 2, f"▸ {text}", self.paint, "soft", class_="fold"))
        return y + LINE + 4

    def rows(self, y, rows):
        gone, fresh = [], []
        for row in [*rows, None]:
            if row and not (row["old"] and row["new"]):
                (gone if row["old"] else fresh).append(row)
                continue
            for i in range(max(len(gone), len(fresh))):
                left, right = gone[i] if i < len(gone) else None, fresh[i] if i < len(fresh) else None
                y = self._row(y, left, right)
            gone, fresh = [], []
            if row:
                y = self._row(y, row, row)
        return y

    def _row(self, y, left, right):
        ends = [y + LINE]
        cells = [(0, left, "old", "gone"), (HALF, right, "new", "new")]
        cells = [(x, row, row[side], kind) for x, row, side, kind in cells if row and row[side]]
        heights = [LINE * len(_wrapped(side["pieces"])) for _, _, side, _ in cells]
        for x, row, side, kind in cells:
            plain = row["kind"] in ("same", "prose", "kept")
            self._side(x, y, max(heights, default=LINE), side, None if plain else kind, row)
        return max(ends + [y + height for height in heights])

    def _side(self, x, y, height, side, kind, row):
        paint = self.paint
        colour = paint("served" if kind == "new" else "fail")
        if kind and not row["moved"] and not row["quiet"]:
            facts = {"data_side": kind, "data_n": side["n"]}
            self.drawn.append(
                tag("rect", x=x, y=y, width=HALF, height=height, fill=colour, fill_opacity=0.09, **facts)
            )
        if kind:
            sign = "↕" if row["moved"] else "+" if kind == "new" else "−"
            look = "quiet" if row["moved"] else "served" if kind == "new" else "fail"
            self.drawn.append(words(x + 5, y + LINE / 2, sign, paint, look, class_="name"))
        self.drawn.append(words(x + NUMBER - 4, y + LINE / 2, side["n"], paint, "quiet", text_anchor="end"))
        for line in _wrapped(side["pieces"]):
            self._line(x + NUMBER + 4, y, line, colour if kind else None, row["quiet"])
            y += LINE

    def _line(self, x, y, line, colour, quiet):
        spans, at = [], 0
        for kind, text, differs in line:
            if differs and colour and text.strip():
                place = {
                    "x": x + at * MONO,
                    "y": y + 1,
                    "width": len(text) * MONO,
                    "height": LINE - 2,
                    "rx": 2,
                }
                self.drawn.append(tag("rect", fill=colour, fill_opacity=0.1 if quiet else 0.2, **place))
            look = f"fill:{KINDS[kind][self.column]};{KINDS[kind][3]}"
            spans.append(tag("tspan", escape(text), style=look))
            at += len(text)
        if spans:
            fit = {"textLength": f"{at * MONO:.1f}", "lengthAdjust": "spacingAndGlyphs"}
            self.drawn.append(tag("text", *spans, x=x, y=y + LINE / 2, **fit))


def _wrapped(pieces):
    """Break a line's pieces so that no row has more than COLUMNS letters; further rows are set in by two more."""
    text = "".join(piece[1] for piece in pieces)
    indent = len(text) - len(text.lstrip()) + 2
    rows, start, room = [], 0, COLUMNS
    while start < len(text) or not rows:
        end = len(text)
        if end - start > room:
            space = text.rfind(" ", start + indent, start + room)
            end = space + 1 if space > 0 else start + room
        rows.append(([["", " " * indent, False]] if rows else []) + _between(pieces, start, end))
        start, room = end, COLUMNS - indent
    return rows


def _between(pieces, start, end):
    """Return the pieces of a line from letter `start` up to letter `end`."""
    found, at = [], 0
    for kind, text, differs in pieces:
        part = text[max(0, start - at) : max(0, end - at)]
        if part:
            found.append([kind, part, differs])
        at += len(text)
    return found
