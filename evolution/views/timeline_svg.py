"""The timeline's static twin: the same marks drawn in Python, for a page without a kernel and for GitHub."""

from html import escape

from evolution.views import marks
from evolution.views.marks import CLIENT, ENDS, GLYPHS, LAYOUT, PROCESS, SLEEPS

WIDTH = 760
LEFT = 136
RIGHT = WIDTH - LAYOUT["right"]
FONT = "font-family:system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif"
COLOUR = {name: pair[0] for name, pair in marks.PALETTE.items()}
FAILED = ("refused", "timed_out", "reset")


def drawing(state):
    """Return the SVG of a Timeline state, on a white page of its own."""
    return _Drawing(state).svg()


class _Drawing:
    def __init__(self, state):
        self.state = state
        self.lanes, self.processes = state.get("lanes", []), state.get("processes", [])
        if len(self.lanes) > LAYOUT["many"]:
            self.lanes = sorted(self.lanes, key=self._interest)[: LAYOUT["interesting"]]
        moments = [state.get("now") or 0, state.get("end") or 0, *(g["t"] for g in state.get("guesses", ()))]
        self.last = max([*moments, 0.001])
        self.out = []
        self.y = 0.0

    def x(self, t):
        return LEFT + (RIGHT - LEFT) * min(t, self.last) / self.last

    def svg(self):
        self._title()
        top = self.y
        self._axis_space()
        rows = [*self.lanes, None, *self.processes]
        many = len(self.state.get("lanes", ())) > len(self.lanes) or "clients" in self.state
        count = self.state.get("clients", len(self.state.get("lanes", ())))
        self._word(
            4,
            self.y - 8,
            f"{count:,} clients, the slowest and the failed" if many else "Clients",
            "soft",
            600,
        )
        ends = {}
        for lane in rows:
            if lane is None:
                self._queue()
                self._word(4, self.y + 10, "Server", "soft", 600)
                self.y += 22
                continue
            ends[lane["id"]] = self.y + LAYOUT["row"] / 2
            self._lane(lane, PROCESS if lane in self.processes else CLIENT)
        self._guesses(ends)
        bottom = self.y + 4
        self._axis(top, bottom)
        self._sentence(bottom)
        faint = ' opacity="0.55"' if self.state.get("recorded") else ""
        height = self.y + 8
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" role="img" aria-label="{escape(self.state.get("sentence") or "Timeline")}" '
            f'style="{FONT};font-size:12px"><defs><pattern id="evo-hatch" width="5" height="5" '
            f'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" fill="#FFFFFF"/>'
            f'<rect width="1.8" height="5" fill="{COLOUR["busy"]}"/></pattern></defs>'
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#FFFFFF"/><g{faint}>{"".join(self.out)}</g></svg>'
        )

    def _interest(self, lane):
        failed = bool(lane.get("end")) and lane["end"]["state"] in FAILED
        waiting = ("queued", "waiting", "connecting")
        waited = sum((s.get("to") or self.last) - s["from"] for s in lane["spans"] if s["state"] in waiting)
        return (not failed, -waited)

    def _word(self, x, y, words, colour="ink", weight=400, anchor="start", size=12):
        self.out.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
            f'fill="{COLOUR[colour]}" dominant-baseline="central">{escape(words)}</text>'
        )

    def _title(self):
        self._word(4, 14, self.state.get("title") or "Timeline", weight=600, size=14)
        if self.state.get("recorded"):
            self._word(RIGHT, 14, "recorded", "soft", anchor="end")
        self.y = 26

    def _axis_space(self):
        self.y += LAYOUT["axis"] + 4

    def _axis(self, top, bottom):
        grid = []
        for t, words in ticks(self.last, 7):
            x = self.x(t)
            grid.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + 18}" y2="{bottom:.1f}" stroke="{COLOUR["rule"]}"/>'
            )
            anchor = "end" if x > RIGHT - 20 else "start" if x < LEFT + 4 else "middle"
            self._word(x, top + 8, words, "soft", anchor=anchor, size=11)
        self.out[:0] = grid

    def _lane(self, lane, table):
        y, thick = self.y + LAYOUT["row"] / 2, LAYOUT["bar"]
        label = lane.get("label") or lane["id"]
        self._word(4 + 10 * lane.get("depth", 0), y, label if len(label) < 21 else label[:19] + "…")
        before = None
        for span in lane["spans"]:
            until = span.get("to")
            x0, x1 = self.x(span["from"]), self.x(self.state.get("now", 0) if until is None else until)
            inner = _mark(table[span["state"]], span, before, x0, max(x1, x0 + 1.5), thick)
            self.out.append(f'<g transform="translate(0,{y:.1f})" data-state="{span["state"]}">{inner}</g>')
            before = span
        if (end := lane.get("end")) and end["state"] in ENDS:
            _, _, shape, colour = ENDS[end["state"]]
            glyph, x = GLYPHS[shape], self.x(end["t"])
            pen = (
                f'fill="{COLOUR[colour]}"'
                if glyph["fill"]
                else f'fill="none" stroke="{COLOUR[colour]}" stroke-width="2"'
            )
            self.out.append(
                f'<g transform="translate({x:.1f},{y:.1f})" data-end="{end["state"]}"><path d="{glyph["d"]}" fill="none" '
                f'stroke="#FFFFFF" stroke-width="4.5"/><path d="{glyph["d"]}" {pen}/></g>'
            )
            if colour == "fail" and end.get("note"):
                room = x + 12 + 7 * len(end["note"]) < WIDTH
                self._word(
                    x + 10 if room else x - 10,
                    y,
                    end["note"],
                    "fail",
                    anchor="start" if room else "end",
                    size=11,
                )
        self.y += LAYOUT["row"]

    def _queue(self):
        queue = self.state.get("queue") or {"steps": [], "limit": 0}
        steps, height = queue.get("steps", []), 40
        self.y += LAYOUT["gap"]
        peak = max((length for _, length in steps), default=0)
        base, top = self.y + height, max(peak, 3)
        self._word(4, self.y + 8, "Accept queue", "soft", 600)
        self._word(4, self.y + 26, f"peak {peak:,} of {queue.get('limit') or 0:,}", "soft", size=11)
        path = ""
        for t, length in steps:
            x, y = self.x(t), base - length / top * (height - 6)
            path += f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f} {y:.1f}"
        if path:
            path += f"H{self.x(self.state.get('now', 0)):.1f}"
            first = self.x(steps[0][0])
            self.out.append(
                f'<path d="{path}V{base:.1f}H{first:.1f}Z" fill="{COLOUR["queued"]}" opacity="0.16"/>'
            )
            self.out.append(
                f'<path d="{path}" fill="none" stroke="{COLOUR["queued"]}" stroke-width="1.6" data-peak="{peak}"/>'
            )
        self.out.append(f'<line x1="{LEFT}" x2="{RIGHT}" y1="{base}" y2="{base}" stroke="{COLOUR["rule"]}"/>')
        self.y = base + LAYOUT["gap"]

    def _guesses(self, rows):
        for guess in self.state.get("guesses", ()):
            if guess.get("lane") in rows:
                x, y = self.x(guess["t"]), rows[guess["lane"]]
                self.out.append(
                    f'<path data-guess="{escape(guess["lane"])}" d="M{x:.1f} {y - 7:.1f}l5 7l-5 7l-5 -7Z" '
                    f'fill="#FFFFFF" stroke="{COLOUR["guess"]}" stroke-width="1.6" stroke-dasharray="2.5 1.5"/>'
                )
                self._word(x + 9, y, guess.get("label") or "your prediction", "guess", size=11)

    def _sentence(self, bottom):
        self.y = bottom + 18
        line = ""
        for word in (self.state.get("sentence") or "").split():
            if len(line) + len(word) > 108:
                self._word(4, self.y, line, size=13)
                self.y, line = self.y + 18, ""
            line += f"{word} "
        self._word(4, self.y, line.strip(), size=13)
        self.y += 10


def _mark(look, span, before, x0, x1, height):
    """One span as SVG around y = 0."""
    _, _, shape, name = look
    colour, half, width = COLOUR[name], height / 2, x1 - x0
    line = f'<line x1="{x0:.1f}" x2="{x1:.1f}" stroke="{colour}" stroke-width="1.5"'
    frame = f'y="{-half + 0.75}" height="{height - 1.5}" stroke="{colour}" stroke-width="1.5" rx="2"'
    box = f'<rect x="{x0 + 0.75:.1f}" width="{max(0.5, width - 1.5):.1f}" {frame}'
    if shape == "dash":
        return f'{line} stroke-dasharray="3 2.5"/>'
    if shape == "line":
        return f"{line}/>"
    if shape == "hollow":
        return f'{box} fill="#FFFFFF"/>'
    if shape == "hatch":
        return f'{box} fill="url(#evo-hatch)"/>'
    if shape == "box":
        letter = _small((x0 + x1) / 2 - 4, "Z", "ink") if width > 12 else ""
        return f'{box} fill="#FFFFFF"/>{letter}'
    if shape == "half":
        low = f'y="{-half / 2}" height="{half}" fill="{COLOUR["pale"]}" stroke="{colour}"'
        return f'<rect x="{x0:.1f}" width="{width:.1f}" {low} rx="1.5"/>'
    if shape == "ramp":
        return _ramp(span, before, x0, x1, half, colour)
    if shape == "asleep":
        return _asleep(span, x0, x1, half)
    if shape == "solid":
        pid = str(span.get("pid") or "")
        word = (
            _small(x0 + 4, pid, "onmark") if pid and width > max(LAYOUT["room"], 6.6 * len(pid) + 6) else ""
        )
        return f'<rect x="{x0:.1f}" width="{width:.1f}" y="{-half}" height="{height}" rx="2" fill="{colour}"/>{word}'
    return ""


def _ramp(span, before, x0, x1, half, colour):
    before = before if before and before["state"] == "sending" else {"share": 0}
    left, right = (
        half - 2 * half * min(max(s.get("share") or 0, 0.06), 1) for s in (before, {"share": 1} | span)
    )
    points = f"{x0:.1f},{half} {x0:.1f},{left:.1f} {x1:.1f},{right:.1f} {x1:.1f},{half}"
    pale = f'<rect x="{x0:.1f}" width="{x1 - x0:.1f}" y="{-half}" height="{2 * half}" rx="2" fill="{COLOUR["pale"]}"/>'
    return f'{pale}<polygon points="{points}" fill="{colour}"/>'


def _asleep(span, x0, x1, half):
    _, _, strands, dash, name = SLEEPS[marks.sleep_kind(span.get("note"))]
    note = span.get("note") or ""
    room = 6.8 * len(note) + 10
    word, start = "", x0 + 1
    if note and x1 - x0 >= room:
        word, start = _small(x0 + 5, note, "ink"), x0 + room
    body = f'<rect x="{x0:.1f}" width="{x1 - x0:.1f}" y="{-half}" height="{2 * half}" rx="2" fill="{COLOUR["pale"]}"/>'
    for y in (-3.5, 0, 3.5) if strands == 3 else (0,):
        body += (
            f'<line x1="{min(start, x1):.1f}" x2="{max(start, x1 - 1):.1f}" y1="{y}" y2="{y}" stroke="{COLOUR[name]}" '
            f'stroke-width="1.3"{f" stroke-dasharray={chr(34)}{dash}{chr(34)}" if dash else ""}/>'
        )
    return body + word


def _small(x, words, colour):
    return f'<text x="{x:.1f}" y="0.5" font-size="11" fill="{COLOUR[colour]}" dominant-baseline="central">{escape(words)}</text>'


def ticks(last, count):
    """[(seconds, words)]: round moments from 0 to `last`, about `count` of them."""
    unit = 10.0**-9
    while unit * 10 < last / count:
        unit *= 10
    step = next(n * unit for n in (1, 2, 5, 10, 20, 50, 100) if n * unit >= last / count)
    found, scale = [], (1000, "ms") if last < 1 else (1, "s")
    for i in range(int(last / step + 1e-9) + 1):
        figure = f"{i * step * scale[0]:.10g}"
        found.append((i * step, "0" if i == 0 else f"{figure} {scale[1]}"))
    return found
