"""The timeline's static twin: one SVG, for nbconvert, GitHub and whatever shows a notebook without a kernel.

Places and marks are the browser's (static/timeline.js).
"""

from html import escape

from evolution.views import marks
from evolution.views import timeline_state as model
from evolution.views.lanes_svg import WIDTH, L, Lanes
from evolution.views.shapes import MONO, WIDE, ghost, glyph, painter, shape, tag, words


def drawing(state, theme="light"):
    """Return a well-formed SVG of a Timeline state, 720 px wide; marks carry data-state, data-from, data-to.

    `theme` is "light" or "dark"; ValueError for another.
    """
    return _Drawing(model.whole(state), painter(theme)).svg()


class _Drawing(Lanes):
    def __init__(self, state, paint):
        super().__init__(state, paint, model.reach(state))
        self.lanes = model.shown(state)
        many = len(self.lanes) + len(state["processes"]) >= L["dense"]
        self.row, self.bar = (L["dense_row"], L["dense_bar"]) if many else (L["row"], L["bar"])
        self.names, self.marks, self.rows = [], [], {}

    def svg(self):
        y = top = L["axis"]
        clients, queue, processes = model.sections(self.state)
        if clients:
            y = self._clients(y) + L["gap"]
        if queue:
            y = self._queue(y) + L["gap"]
        y = self._server(y, heading=y > top and processes)
        guesses = [self._guess(guess, y) for guess in self.state["guesses"]]
        drawn = [*self.axis(y), *self.names, *self.marks, *guesses]
        return self.page("Timeline", y, model.keys(self.state), drawn)

    # --- the sections, from top to bottom; each returns where it ends ---

    def _clients(self, y):
        crowd = model.crowded(self.state)
        self._heading(11, f"{model.total(self.state):,} clients" if crowd else "Clients")
        if crowd:
            self._bands(y)
            y += L["bands"] + 10
            if self.lanes:
                self._heading(y + 6, "the first of each kind, the slowest, the failed")
                y += 18
        for lane in self.lanes:
            self._lane(lane, "client", y)
            y += self.row
        return y

    def _queue(self, y):
        self._section(y, "Accept queue")
        queue, peak = self.state["queue"], model.peak(self.state["queue"])
        limit = queue["limit"] or 0
        near = limit and peak * 3 >= limit
        top = max(limit, peak) * 1.08 if near else max(peak, 3)
        base = y + 2 + L["queue"]
        self.names.append(
            words(4, y + 32, f"peak {peak:,}" + (f" of {limit:,}" if limit else ""), self.paint, "soft")
        )

        def height(n):
            return base - n / top * (L["queue"] - 6)

        points = [(self.x(t), height(n)) for t, n in queue["steps"]]
        line = "".join(f"H{x:.1f}V{h:.1f}" for x, h in points[1:])
        if points:
            line = f"M{points[0][0]:.1f} {points[0][1]:.1f}{line}H{self.x(max(self.state['now'], 0)):.1f}"
        for n in range(1, int(top) + 1 if top <= 12 else 1):
            self._level(height(n), "rule", "1 3")
        area = f"{line}V{base}H{points[0][0]:.1f}Z" if points else ""
        self.marks.append(tag("path", d=area, fill=self.paint("queued"), opacity=0.16))
        facts = {"data_key": "client.queued", "data_peak": peak, "data_limit": limit}
        self.marks.append(
            tag("path", d=line, fill="none", stroke=self.paint("queued"), stroke_width=1.6, **facts)
        )
        self._level(base, "rule")
        if near:
            self._level(height(limit), "fail", "5 3")
            at = {"text_anchor": "end"}
            self.names.append(
                words(self.right, height(limit) + 8, f"limit {limit:,}", self.paint, "fail", **at)
            )
        return base

    def _server(self, y, heading):
        if heading:  # lanes alone need no name
            self._section(y, "Server")
            y += 20
        for lane in self.state["processes"]:
            self._lane(lane, "process", y)
            y += self.row
        return y + 6

    # --- pieces ---

    def _heading(self, y, said):
        self.names.append(words(4, y, said, self.paint, "soft", class_="head"))

    def _section(self, y, said):
        if y > L["axis"]:
            self.names.append(tag("line", x1=0, x2=WIDTH, y1=y, y2=y, stroke=self.paint("rule")))
        self._heading(y + 10, said)

    def _level(self, y, colour, dash=None):
        ends = {"x1": self.left, "x2": self.right, "y1": y, "y2": y}
        self.marks.append(tag("line", stroke=self.paint(colour), stroke_dasharray=dash, **ends))

    def _lane(self, lane, kind, y):
        middle = y + self.row / 2
        indent = model.indent(lane) if kind == "process" else 0
        self.names.append(self.name(middle, lane["label"], indent))
        pairs = zip([None, *lane["spans"]], lane["spans"], strict=False)
        under = [self._reach(guess) for guess in self.state["guesses"] if guess["lane"] == lane["id"]]
        drawn = [self._span(span, before, kind, under) for before, span in pairs]
        drawn += [self._end(lane["end"])] if lane["end"] else []
        where = {"transform": f"translate(0,{middle:g})", "data_lane": lane["id"], "data_kind": kind}
        self.marks.append(tag("g", *drawn, **where))
        self.rows[lane["id"]] = middle, self._taken(lane)

    def _taken(self, lane):
        """What stands in a lane, as (from, to, whether it is text), in px."""
        found = []
        for span in lane["spans"]:
            x0, x1 = self.x(span["from"]), self.x(self.state["now"] if span["to"] is None else span["to"])
            if span["state"] not in ("connecting", "idle"):
                found.append((x0, x1, False))
            if x1 - x0 >= _room_of(span) > 0:
                found.append((x0, x0 + _room_of(span), True))
        if lane["end"]:
            x, note = self.x(lane["end"]["t"]), _note(lane["end"])
            wide = 7 * len(note)
            inside = x + 12 + wide < WIDTH
            found.append((x - 7, x + 7 + wide, True) if inside else (x - 7 - wide, x + 7, True))
        return found

    def _span(self, span, before, kind, under):
        table = marks.CLIENT if kind == "client" else marks.PROCESS
        state, note = span["state"], span.get("note", "")
        to = self.state["now"] if span["to"] is None else span["to"]
        more = {}
        if state == "sending":
            chained = before is not None and before["state"] == "sending"
            more = {"start": before.get("share", 0.0) if chained else 0.0, "share": span.get("share", 1.0)}
        elif state == "asleep":
            more = {"sleep": marks.SLEEPS[marks.sleep_kind(note)]}
        if state not in table:
            return ""
        x0, x1 = self.x(span["from"]), self.x(to)
        if not any(low < x0 + _room_of(span) and high > x0 for low, high in under):
            more["text"] = _written(span)
        mark = shape(table[state], x0, x1, self.bar, self.paint, room=L["room"], **more)
        facts = {"data_key": model.key_of(kind, span), "data_state": state, "data_from": str(span["from"])}
        tip = tag("title", escape(f"{table[state][0]}, {marks.time(to - span['from'])} {note}".strip()))
        return tag(
            "g", tip, mark, data_pid=span.get("pid"), data_to=None if span["to"] is None else str(to), **facts
        )

    def _end(self, end):
        look, x = marks.ENDS[end["state"]], self.x(end["t"])
        drawn = glyph(look[2], look[3], self.paint)
        if note := _note(end):
            inside = x + 12 + 7 * len(note) < WIDTH
            side = {"text_anchor": "start" if inside else "end", "halo": True}
            drawn += words(10 if inside else -10, 0.5, note, self.paint, "fail", **side)
        facts = {"data_key": f"ends.{end['state']}", "data_end": end["state"], "data_from": str(end["t"])}
        return tag("g", drawn, transform=f"translate({x:.2f},0)", **facts)

    def _reach(self, guess):
        """From where to where a prediction and its distance reach, in px."""
        x, seen = self.x(guess["t"]), model.measured(self.state, guess)
        end = x if seen is None else self.x(seen)
        return min(x - 5, end), max(x + 5, end)

    def _guess(self, guess, height):
        x, (y, taken) = self.x(guess["t"]), self.rows.get(guess["lane"], (None, []))
        facts = {"data_key": "guess.guess", "data_guess": guess["lane"] or "", "data_from": str(guess["t"])}
        seen, drawn = model.measured(self.state, guess), ""
        pen = {"stroke": self.paint("guess"), "stroke_width": 1.5}
        if y is None:
            y = L["axis"] - 4
            drawn = tag("line", x1=x, x2=x, y1=y, y2=height - 4, stroke_dasharray="3 3", **pen)
        elif seen is not None and abs(self.x(seen) - x) > 10:
            way = 1 if seen > guess["t"] else -1
            line = {"x1": x + 4 * way, "x2": self.x(seen) - 6 * way, "y1": y, "y2": y}
            drawn = tag("line", stroke=self.paint("page"), stroke_width=4, **line)
            drawn += tag("line", stroke_dasharray="2 2.5", **line, **pen)
        off = guess["label"] if seen is None else f"{marks.time(abs(seen - guess['t']))} off"
        said = guess.get("said") or off
        at, anchor = model.beside_ghost(x, WIDE * len(said), taken, self.left, WIDTH)
        label = words(at, y, said, self.paint, "guess", halo=True, text_anchor=anchor)
        tip = tag("title", escape(f"{guess['label']}: {marks.time(guess['t'])}"))
        return tag("g", tip, drawn, ghost(x, y, self.paint), label, **facts)

    def _bands(self, y):
        columns = (self.right - self.left) // 2
        drawn_to = min(columns, int(self.state["now"] / self.end * columns) + 1)
        moments = [self.end * i / columns for i in range(columns)]
        if not self.state["running"]:
            moments[drawn_to - 1] = self.state["now"]
        found = model.counts(self.state, moments)
        everyone, base = model.total(self.state), y + L["bands"]
        unit, floor = L["bands"] / max(1, everyone), [0] * columns
        for band, row in found.items():
            if not any(row):
                continue
            colour, opacity = marks.BANDS[band]
            low = floor[:drawn_to]
            floor = [a + b for a, b in zip(floor, row, strict=True)]
            xs = [self.left + 2 * i for i in range(drawn_to + 1)]
            high = "".join(f"L{xs[i]} {base - floor[i] * unit:.1f}H{xs[i + 1]}" for i in range(drawn_to))
            back = "".join(
                f"L{xs[i + 1]} {base - low[i] * unit:.1f}H{xs[i]}" for i in reversed(range(drawn_to))
            )
            pen = {"fill": self.paint(colour), "fill_opacity": opacity, "stroke": self.paint(colour)}
            parts = [tag("path", d=f"M{high[1:]}{back}Z", stroke_width=1, **pen)]
            if place := _room(low, floor[:drawn_to], 16 / unit):
                at, middle = place
                ink = {
                    "colour": "ink" if opacity < 1 else "onmark",
                    "text_anchor": "middle",
                    "class_": "head",
                }
                word = marks.CLIENT[band][0] if band in marks.CLIENT else band
                parts.append(words(xs[at], base - middle * unit, word, self.paint, **ink))
            table = "client" if band in marks.CLIENT else "ends"
            self.marks.append(
                tag("g", *parts, data_key=f"{table}.{band}", data_band=band, data_peak=max(row))
            )
        for said, at in ((f"{everyone:,}", y + 5), ("0", base - 4)):
            self.names.append(words(self.left - 8, at, said, self.paint, "soft", text_anchor="end"))


def _written(span):
    """What is written on a span's bar, where there is room: the call of a sleeper, the pid of who works."""
    if span["state"] == "asleep":
        return span.get("note", "")
    return str(span["pid"]) if span["state"] in ("served", "running") and span.get("pid") else ""


def _room_of(span):
    """Pixels that a bar must have to carry what is written on it; 0 when it is nothing."""
    said = _written(span)
    if span["state"] == "asleep":
        return len(said) * MONO + 10 if said else 0
    return max(L["room"], len(said) * WIDE + 6) if said else 0


def _note(end):
    """What is written beside an end: the error."""
    return end["note"] if marks.ENDS[end["state"]][3] == "fail" else ""


def _room(low, high, least, half=15):
    """Where in a band a word fits: (column, height of its middle) with the most room, or None."""
    best = None
    for at in range(half, len(high) - half):
        floor, top = max(low[at - half : at + half + 1]), min(high[at - half : at + half + 1])
        if top - floor > (best[0] if best else least):
            best = (top - floor, at, (floor + top) / 2)
    return best and best[1:]
