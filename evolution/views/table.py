"""The evolution table as a picture: one row for each model, in words and figures."""

from evolution.views import figure
from evolution.views.figure import Figure

COLUMNS = (104, 92, 150, 116, 122, 136)
"""Widths of the columns, px."""

HEAD, ROW = 30, 22


def drawing(state, theme="light"):
    """Return the SVG of a table (measures.Table.as_dict), 720 px wide."""
    return figure.drawing(table(state), state["title"], state["sentence"], theme=theme)


def table(state):
    """Return the Figure: names, a rule, a row for each model, and the stamp."""
    out = Figure(sum(COLUMNS))
    starts = [sum(COLUMNS[:i]) for i in range(len(COLUMNS))]
    for x, name in zip(starts, state["columns"], strict=True):
        out.text(x, 8, name, "soft", "heading")
    out.line(0, 20, out.width, 20)
    y = HEAD
    for row in state["rows"]:
        stuck = row[0] in state["stuck"]
        for i, (x, said) in enumerate(zip(starts, row, strict=True)):
            if stuck and i == 2:
                out.glyph(x + 6, y, "hourglass", "fail")
                out.text(x + 16, y, said, "fail")
            else:
                out.text(x, y, said, look="name heading" if i == 0 else "", data={"cell": f"{row[0]}-{i}"})
        y += ROW
        out.line(0, y - ROW / 2, out.width, y - ROW / 2)
    out.text(0, y + 6, state["stamp"], "soft")
    out.height = y + 16
    return out
