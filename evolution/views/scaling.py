"""The cost of one wait against the number of descriptors: select, poll, epoll on a log–log plane."""

import math
import textwrap

from evolution.views import base, marks
from evolution.views.drawn import Drawn
from evolution.views.figure import LETTER, Figure, machine, spaced, tip

KINDS = {
    # kind: (shape of a point, colour, dash of the line); a shape of its own for each
    "select": ("square", "quiet", "1 3"),
    "poll": ("circle", "busy", "6 3"),
    "epoll": ("diamond", "served", None),
}

TOP, BOTTOM, LEFT = 26, 44, 52
RIGHT = {720: 132, 520: 118}
"""Room for the names of the lines beside them; on a narrow page they stand below."""


class Scaling(Drawn):
    """Show what `lab.cost` has measured (Cost.as_dict)."""

    _esm = base.module("figure.js", "scaling.js")
    _css = base.stylesheet("figure.css")
    recorded = "scaling_recorded.json"

    def draw(self, state, width):
        return _Plane(state, width).draw()

    def words(self, state):
        """The points as a table, with the fitted slopes and the predictions."""
        numbers = sorted({point["n"] for point in state["points"]})
        rows = {}
        for point in state["points"]:
            cell = "ended" if point["error"] else us(point["us"])
            rows.setdefault(point["kind"], dict.fromkeys(numbers, ""))[point["n"]] = cell
        slopes = {line["kind"]: each(line) for line in state["lines"]}
        yield f"{'µs for one call':16}" + "".join(f"{n:>10,}" for n in numbers) + "   for each"
        for kind, row in rows.items():
            yield f"{kind:16}" + "".join(f"{row[n]:>10}" for n in numbers) + f"   {slopes.get(kind, '')}"
        for guess in state["guesses"]:
            yield f"predicted: {guess['kind']} at {guess['n']:,}: {us(guess['us'])}"
        yield machine(state["machine"])


class _Plane:
    def __init__(self, state, width):
        self.state, self.out = state, Figure(width)
        self.aside = width in RIGHT
        self.left, self.right = LEFT, width - RIGHT.get(width, 14)
        self.top, self.bottom = TOP, TOP + (300 if width >= 520 else 240)
        seen = [point for point in state["points"] if not point["error"]]
        guessed = state["guesses"]
        numbers = [p["n"] for p in state["points"]] + [g["n"] for g in guessed]
        times = [p["us"] for p in seen] + [g["us"] for g in guessed]
        self.numbers = sorted(set(numbers))
        self.x0, self.x1 = math.log10(min(numbers, default=1)), math.log10(max(numbers, default=10))
        if self.x0 == self.x1:
            self.x0, self.x1 = self.x0 - 0.5, self.x1 + 0.5
        self.y0 = math.log10(min(times, default=1)) - 0.3
        self.y1 = max(math.log10(max(times, default=10)) + 0.25, self.y0 + 1)

    def x(self, n):
        inset = 14
        share = (math.log10(n) - self.x0) / (self.x1 - self.x0)
        return self.left + inset + share * (self.right - self.left - 2 * inset)

    def y(self, value):
        share = (math.log10(max(value, 1e-6)) - self.y0) / (self.y1 - self.y0)
        return self.bottom - share * (self.bottom - self.top)

    def draw(self):
        self._axes()
        for line in self.state["lines"]:
            self._line(line)
        for point in self.state["points"]:
            if not point["error"]:
                self._point(point)
        self._edge()
        for guess in self.state["guesses"]:
            self._guess(guess)
        below = self.bottom + BOTTOM
        below = self._names_aside(below) if self.aside else self._names_below(below)
        self.out.height = self.out.lines(0, below + 6, machine(self.state["machine"]), "soft")
        return self.out

    def _axes(self):
        out = self.out
        for power in range(math.ceil(self.y0), math.floor(self.y1) + 1):
            y = round(self.y(10**power)) + 0.5
            out.line(self.left, y, self.right, y)
            out.text(self.left - 8, y, us(10**power).replace(".0 ", " "), "soft", anchor="end")
        for n in self.numbers:
            x = self.x(n)
            out.line(x, self.bottom, x, self.bottom + 4, "quiet")
            out.text(x, self.bottom + 14, f"{n:,}", "soft", anchor="middle")
        what = "descriptors, all of them ready" if self.state["active"] == "all" else "idle descriptors"
        out.text((self.left + self.right) / 2, self.bottom + 32, what, "soft", anchor="middle")
        out.text(0, 5, "processor time of one call", "soft", "heading")

    def _reach(self, kind):
        """Up to which number the line of a kind is drawn: select has an end."""
        edge = self.state["edge"] if kind == "select" else None
        last = max(self.numbers, default=1)
        return min(last, edge["n"]) if edge else last

    def _line(self, line):
        _, colour, dash = KINDS[line["kind"]]
        first, last = min(self.numbers), self._reach(line["kind"])
        steps = 40
        along = [first * (last / first) ** (i / steps) for i in range(steps + 1)]
        path = "L".join(f"{self.x(n):.1f} {self.y(at(line, n)):.1f}" for n in along)
        more = {"stroke_dasharray": dash} if dash else {}
        said = tip(f"{line['kind']}: the line through its points",
                   f"{at(line, 0):.2f} µs + {line['ns']:.3g} ns for each descriptor")  # fmt: skip
        self.out.add(
            "path", d=f"M{path}", paint={"stroke": colour}, stroke_width=1.8, stroke_linejoin="round",
            name=f"line-{line['kind']}", key=f"kind.{line['kind']}", tip=said,
            data={"line": line["kind"], "ns": line["ns"]}, **more,
        )  # fmt: skip

    def _point(self, point):
        shape, colour, _ = KINDS[point["kind"]]
        x, y = self.x(point["n"]), self.y(point["us"])
        what = "ready" if self.state["active"] == "all" else "idle"
        said = tip(
            f"{point['kind']}, {point['n']:,} {what} descriptors",
            f"{point['us']:.2f} µs for one call",
            f"half of {point['batches']} batches: {point['low']:.2f} to {point['high']:.2f} µs",
            f"{point['us'] * 1000 / point['n']:.0f} ns for each descriptor" if point["n"] else "",
            f"{point['ready']:,} found ready",
        )
        key = {"key": f"kind.{point['kind']}"}
        low, high = self.y(point["low"]), self.y(point["high"])
        if low - high > 12:  # the spread is taller than the mark
            self.out.line(x, low, x, high, colour, 1.5, **key)
        pens = {"paint": {"fill": colour, "stroke": "page"}, "stroke_width": 1.5, **key}
        data = {"point": point["kind"], "n": point["n"], "us": point["us"]}
        if shape == "circle":
            self.out.add("circle", cx=x, cy=y, r=5, **pens)
        elif shape == "square":
            self.out.add("rect", x=x - 4.5, y=y - 4.5, width=9, height=9, **pens)
        else:
            self.out.add("path", d=f"M{x:.1f} {y - 6.5:.1f}l6.5 6.5l-6.5 6.5l-6.5 -6.5Z", **pens)
        self.out.hit(x - 10, y - 9, 20, 18, tip=said, item=True, data=data)

    def _edge(self):
        """Where select ends, with what it said."""
        edge, lines = self.state["edge"], {line["kind"]: line for line in self.state["lines"]}
        if not edge or "select" not in lines or edge["n"] > max(self.numbers):
            return
        x, y = self.x(edge["n"]), self.y(at(lines["select"], edge["n"]))
        self.out.line(x, y - 8, x, self.top, "fail", 1, "2 3")
        self.out.glyph(x, y, "cross", "fail", key="kind.select")
        said = tip(
            f"select ends at {edge['n']:,} descriptors",
            f"the next one has the number {edge['fd']:,}; FD_SETSIZE is 1,024", words=edge["error"],
        )  # fmt: skip
        self.out.hit(x - 10, y - 10, 20, 20, tip=said, item=True, data={"edge": edge["n"]})
        left = x - self.left > self.right - x  # the side with more room
        room = (x - self.left if left else self.right - x) - 16
        end = f"select ends at descriptor {edge['fd']:,}"
        rows = [end if len(end) * 6.9 < room else end.replace("descriptor ", "")]
        rows += textwrap.wrap(edge["error"], max(16, int(room / 6.8)))
        for i, row in enumerate(rows):
            side = {"look": "call" if i else "heading", "anchor": "end" if left else "start", "halo": True}
            self.out.text(x - 8 if left else x + 8, self.top + 14 + 15 * i, row, "fail", **side)

    def _guess(self, guess):
        x, y = self.x(guess["n"]), self.y(guess["us"])
        seen = self._seen(guess)
        if seen is not None and abs(self.y(seen) - y) > 16:
            way = 1 if self.y(seen) > y else -1
            self.out.line(x, y + 9 * way, x, self.y(seen) - 8 * way, "guess", 1.5, "2 2.5")
        self.out.glyph(x, y, "ghost", "guess")
        said = tip(
            f"your prediction: {us(guess['us'])}", f"{guess['kind']}, {guess['n']:,} descriptors",
            f"measured: {seen:.2f} µs" if seen is not None else "",
        )  # fmt: skip
        facts = {"guess": guess["kind"], "n": guess["n"], "us": guess["us"]}
        self.out.hit(x - 9, y - 10, 18, 20, tip=said, item=True, data=facts)
        words = "you predicted"
        left = x - 12 - self.left > len(words) * LETTER
        away = 14 if seen is None or self.y(seen) < y else -14  # on the side where nothing was measured
        side = {"anchor": "end" if left else "start", "halo": True}
        self.out.text(x + 4 if left else x - 4, y + 1.2 * away, words, "guess", **side)

    def _seen(self, guess):
        for point in self.state["points"]:
            if (point["kind"], point["n"]) == (guess["kind"], guess["n"]) and not point["error"]:
                return point["us"]
        lines = {line["kind"]: line for line in self.state["lines"]}
        return at(lines[guess["kind"]], guess["n"]) if guess["kind"] in lines else None

    def _names_aside(self, below):
        """The names of the lines beside their ends, moved apart."""
        lines = self.state["lines"]
        ends = [self.y(at(line, self._reach(line["kind"]))) for line in lines]
        for line, end, y in zip(lines, ends, spaced(ends, 34, self.top + 8, self.bottom - 8), strict=True):
            kind, x = line["kind"], self.x(self._reach(line["kind"]))
            self.out.line(x + 9, end, self.right + 4, y, "rule")
            self._name(kind, self.right + 8, y, line)
        return below

    def _names_below(self, y):
        for line in self.state["lines"]:
            self._name(line["kind"], 4, y + 8, line, apart=54)
            y += 20
        return y + 4

    def _name(self, kind, x, y, line, apart=0):
        colour = KINDS[kind][1]
        rows = ((0, 0, kind, colour, "name heading"), (apart, 0 if apart else 14, each(line), "ink", ""))
        for dx, dy, said, paint, look in rows:
            self.out.text(x + dx, y - (0 if apart else 7) + dy, said, paint, look)
        box = {"width": 190 if apart else 120, "height": 18 if apart else 30}
        said = tip(f"{kind}: {each(line)}", f"{line['ns']:.3g} ns and, without any, {line['base_us']:.2f} µs")
        self.out.hit(x - 4, y - box["height"] / 2, **box, lights=f"kind.{kind}", tip=said, item=True)


def at(line, n):
    """The µs that a line gives for `n` descriptors."""
    return line["base_us"] + n * line["ns"] / 1000


def each(line):
    """The slope in words: "85 ns for each", "0.01 ns for each"."""
    ns = line["ns"]
    said = f"{ns:.2f}" if ns < 0.095 else f"{ns:.1f}" if ns < 9.95 else f"{float(f'{ns:.2g}'):.0f}"
    return f"{said} ns for each"


def us(value):
    """µs in words, two significant digits: "0.7 µs", "86 µs", "1.3 ms"."""
    if value >= 999.5:
        return marks.time(value / 1e6)
    amount = float(f"{value:.2g}")
    return f"{amount:.1f} µs" if amount < 10 else f"{amount:.0f} µs"
