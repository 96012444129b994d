"""The race: for each measurement a column of bars, one for each contender, with the spread of the rounds."""

import math

from evolution.views import base
from evolution.views.drawn import Drawn
from evolution.views.figure import LETTER, Figure, machine, tip

NAMES = {320: 88, 520: 96, 720: 98}
"""px for the names of the contenders."""

ACROSS = {320: 2, 520: 3, 720: 4}
"""Columns side by side; the others follow below."""

ROW, BAR, HEAD, GAP = 20, 11, 30, 22
FIGURE = 62
"""px beside the longest bar, for its figure."""


class Race(Drawn):
    """Show what `lab.race` has measured so far (Race.as_dict of lab/races.py)."""

    _esm = base.module("figure.js", "race.js")
    _css = base.stylesheet("figure.css")
    recorded = "race_recorded.json"

    def draw(self, state, width):
        return _Bars(state, width).draw()

    def words(self, state):
        """The figures as a table."""
        lines = [["", *(column["title"] for column in state["columns"])]]
        for row in state["rows"]:
            cells = (row["cells"].get(column["name"], {}).get("said", "") for column in state["columns"])
            lines.append([row["name"], *cells])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            yield "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        yield machine(state["machine"])


class _Bars:
    def __init__(self, state, width):
        self.state, self.out, self.names = state, Figure(width), NAMES[width]
        self.across = ACROSS[width]
        self.wide = (width - self.names) / self.across
        self.room = self.wide - FIGURE - 10

    def draw(self):
        columns, y = self.state["columns"], 0
        for first in range(0, len(columns), self.across):
            y = self._block(columns[first : first + self.across], y) + GAP
        self.out.height = self._foot(y - GAP + 14)
        return self.out

    def _block(self, columns, top):
        """Draw some columns side by side over the same rows; return where they end."""
        rows, out = self.state["rows"], self.out
        y = top + HEAD
        for i, row in enumerate(rows):
            middle = y + i * ROW + ROW / 2
            look = "name" if row["peer"] else "name heading"
            out.text(0, middle, row["name"], look=look, name=f"{columns[0]['name']}-{row['name']}")
        end = y + len(rows) * ROW
        for i, column in enumerate(columns):
            self._column(column, self.names + i * self.wide, top, y)
        return end

    def _column(self, column, x, top, y):
        out, rows = self.out, self.state["rows"]
        how = "more is better" if column["better"] == "more" else "less is better"
        scale = ", log scale" if column["scale"] == "log" else ""
        said = tip(column["title"], how + scale, MEANING.get(column["name"].rstrip("0123456789"), ""))
        out.text(x, top + 8, column["title"], "ink", "heading")
        out.text(x, top + 21, how + (" · log" if scale else ""), "soft")
        out.hit(x - 4, top, self.wide - 8, HEAD - 2, tip=said, item=True)
        cells = {row["name"]: row["cells"].get(column["name"]) for row in rows}
        length = self._scale(column, [cell for cell in cells.values() if cell])
        out.line(x - 0.5, y, x - 0.5, y + len(rows) * ROW)
        for i, row in enumerate(rows):
            self._cell(column, row, cells[row["name"]], x, y + i * ROW + ROW / 2, length)

    def _scale(self, column, cells):
        """Return the function from a value to the length of its bar, px."""
        values = [cell["high"] or cell["value"] for cell in cells if cell["value"]]
        top = max(values, default=1)
        if column["scale"] == "linear":
            return lambda value: value / top * self.room
        low = min(cell["low"] or cell["value"] for cell in cells if cell["value"]) if values else 1
        floor = math.log10(low) - 0.5
        span = max(math.log10(top) - floor, 0.5)
        return lambda value: max(0.0, (math.log10(value) - floor) / span) * self.room

    def _cell(self, column, row, cell, x, y, length):
        out, name = self.out, f"{column['name']}-{row['name']}"
        under = self.state["underway"]
        if under and under["name"] == row["name"] and column["name"] in under["columns"]:
            box = {"x": x + 1, "y": y - BAR / 2, "width": self.room, "height": BAR, "rx": 2}
            dashed = {"paint": {"stroke": "quiet"}, "stroke_dasharray": "3 3"}
            out.add("rect", data={"underway": name}, **dashed, **box)
        if cell is None:
            return
        at = 0.0
        if cell["value"]:
            at = max(1.5, length(cell["value"]))
            out.add("rect", paint=_paint(row["peer"]), x=x, y=y - BAR / 2, width=at, height=BAR, rx=1.5,
                    name=f"bar-{name}", data={"bar": name, "value": cell["value"]})  # fmt: skip
            at = self._spread(cell, x, y, length, at)
        if cell["failed"]:
            out.glyph(x + at + 9, y, "hourglass", "fail", name=f"end-{name}")
            at += 10
        said = (
            cell["said"]
            if len(cell["said"]) * LETTER < self.wide - at - 8
            else cell["said"].split(" for ")[-1]
        )
        out.text(x + at + 7, y, said, "fail" if cell["failed"] else "ink", name=f"said-{name}")
        self._tip(column, row, cell, x, y, name)

    def _spread(self, cell, x, y, length, at):
        """Draw the spread as a whisker; return where bar and whisker end."""
        if cell["low"] is None or cell["high"] is None:
            return at
        low, high = length(cell["low"]), length(cell["high"])
        if high - low > 2:
            self.out.line(x + low, y, x + high, y, "page", 3)
            self.out.line(x + low, y, x + high, y, "ink", 1.5)
            for end in (low, high):
                self.out.line(x + end, y - 3, x + end, y + 3, "ink", 1.5)
        return max(at, high)

    def _tip(self, column, row, cell, x, y, name):
        rounds = cell.get("rounds") or []
        unit = UNITS.get(column["name"], "s")
        figures = f"{_exact(cell['value'], unit)}" if cell["value"] is not None else cell["said"]
        spread = ""
        if cell["low"] is not None:
            kind = f"{len(rounds)} rounds" if rounds else "half of them"
            spread = f"{kind}: {_exact(cell['low'], unit)} to {_exact(cell['high'], unit)}"
        limit = "the load generator was the limit" if cell["limited"] else ""
        said = tip(f"{row['name']}: {column['title']}", figures, spread, cell["note"], limit)
        self.out.hit(x, y - ROW / 2, self.wide - 8, ROW, tip=said, item=True,
                     data={"cell": name, "said": cell["said"]})  # fmt: skip

    def _foot(self, y):
        out, x = self.out, 0
        entries = [(False, "the course's models")]
        if any(row["peer"] for row in self.state["rows"]):
            entries.append((True, "others"))
        for peer, said in entries:
            out.add("rect", paint=_paint(peer), x=x + 0.5, y=y - 5, width=22, height=10, rx=1.5)
            out.text(x + 29, y, said)
            x += 42 + LETTER * len(said)
        out.line(x, y, x + 20, y, "ink", 1.5)
        for end in (x, x + 20):
            out.line(end, y - 3, end, y + 3, "ink", 1.5)
        out.text(x + 27, y, "spread")
        load = f"load by {self.state['generator']}; " if self.state["generator"] else ""
        return out.lines(0, y + 20, load + machine(self.state["machine"]), "soft")


def _paint(peer):
    """A model's bar is solid, another's hollow."""
    return {"fill": "pale", "stroke": "quiet"} if peer else {"fill": "busy"}


MEANING = {
    "rate": "64 connections that ask again as soon as they have an answer",
    "cpu": "the server's processor time under that load",
    "alone": "connect, ask, read, close, with nobody else there",
    "silent": "the same beside one client that says nothing",
    "slow": "the same beside one that asks for 20 MB and does not read",
    "memory": "what one more connection that says nothing takes (Pss)",
    "crowd": "so many connections with one request each: how many were answered in 3 s",
}

UNITS = {"rate": "a second", "cpu": "µs", "memory": "KiB", "crowd1100": "answered", "crowd10000": "answered"}


def _exact(value, unit):
    if unit == "s":
        return f"{value * 1000:.3f} ms"
    return f"{value:,.0f} {unit}" if unit in ("a second", "answered") else f"{value:.2f} {unit}"
