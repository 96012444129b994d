"""The timeline's static twin: one SVG, for nbconvert, GitHub and whatever shows a notebook without a kernel.

Places and marks are the browser's (static/timeline.js); it stands on a page of its own colour, since nobody
knows what is behind it.
"""

import textwrap
from html import escape

from evolution.views import marks
from evolution.views import timeline_state as model
from evolution.views.shapes import WIDE, entry, ghost, glyph, hatching, key, painter, shape, tag, words

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


def drawing(state, theme="light"):
    """Return a well-formed SVG of a Timeline state, 720 px wide; marks carry data-state, data-from, data-to.

    `theme` is "light" or "dark"; ValueError for another.
    """
    return _Drawing(model.whole(state), painter(theme)).svg()


class _Drawing:
    def __init__(self, state, paint):
        self.state, self.paint, self.end = state, paint, model.reach(state)
        low, high = L["gutter"]
        self.left = round(min(high, max(low, WIDTH * L["gutter_share"])))
        self.right = WIDTH - L["right"]
        self.lanes = model.shown(state)
        many = len(self.lanes) + len(state["processes"]) >= L["dense"]
        self.row, self.bar = (L["dense_row"], L["dense_bar"]) if many else (L["row"], L["bar"])
        self.names, self.marks, self.rows = [], [], {}

    def x(self, t):
        return self.left + t / self.end * (self.right - self.left)

    def svg(self):
        state, paint = self.state, self.paint
        y = self._clients(L["axis"])
        y = self._queue(y + L["gap"])
        y = self._server(y + L["gap"])
        guesses = [self._guess(guess, y) for guess in state["guesses"]]
        legend, depth = self._legend(y + 18)
        said = textwrap.wrap(("Recorded: " if state["recorded"] else "") + state["sentence"], 104)
        below = 34 + y + depth
        height = below + 18 * len(said) + 8
        title = state["title"] or "Timeline"
        parts = [
            f"<title>{escape(title)}</title><desc>{escape(state['sentence'])}</desc>",
            f"<style>{STYLE}</style>",
            hatching(paint),
            tag("rect", x=-8, width=WIDTH + 16, height=height, fill=paint("page")),
            words(4, 14, title, paint, class_="title"),
            tag(
                "g", *self._axis(y), *self.names, *self.marks, *guesses, *legend, transform="translate(0,30)"
            ),
            *(words(4, below + 18 * i, line, paint, class_="said") for i, line in enumerate(said)),
        ]
        box = {"width": WIDTH + 16, "height": height, "viewBox": f"-8 0 {WIDTH + 16} {height}"}
        return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", role="img", class_="evo-twin", **box)

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
        self._rule(y)
        self._heading(y + 10, "Accept queue")
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

    def _server(self, y):
        self._rule(y)
        self._heading(y + 10, "Server")
        y += 20
        for lane in self.state["processes"]:
            self._lane(lane, "process", y)
            y += self.row
        return y + 6

    # --- pieces ---

    def _axis(self, height):
        for t, said in model.ticks(self.end, (self.right - self.left) / 84):
            x = self.x(t)
            line = {"x1": x, "x2": x, "y1": L["axis"] - 4, "y2": height - 4}
            yield tag("line", stroke=self.paint("rule"), **line)
            anchor = "end" if x > self.right - 16 else "start" if x < self.left + 4 else "middle"
            x = min(x + 14, WIDTH - 2) if anchor == "end" else x
            yield words(x, 11, said, self.paint, "soft", text_anchor=anchor)

    def _heading(self, y, said):
        self.names.append(words(4, y, said, self.paint, "soft", class_="head"))

    def _rule(self, y):
        self.names.append(tag("line", x1=0, x2=WIDTH, y1=y, y2=y, stroke=self.paint("rule")))

    def _level(self, y, colour, dash=None):
        ends = {"x1": self.left, "x2": self.right, "y1": y, "y2": y}
        self.marks.append(tag("line", stroke=self.paint(colour), stroke_dasharray=dash, **ends))

    def _lane(self, lane, kind, y):
        middle = y + self.row / 2
        indent = model.indent(lane) if kind == "process" else 0
        most = int((self.left - 10 - indent) / 6.2)
        name = lane["label"] if len(lane["label"]) <= most else lane["label"][: most - 1] + "…"
        self.names.append(words(4 + indent, middle, name, self.paint, class_="name"))
        pairs = zip([None, *lane["spans"]], lane["spans"], strict=False)
        drawn = [self._span(span, before, kind) for before, span in pairs]
        drawn += [self._end(lane["end"])] if lane["end"] else []
        where = {"transform": f"translate(0,{middle:g})", "data_lane": lane["id"], "data_kind": kind}
        self.marks.append(tag("g", *drawn, **where))
        self.rows[lane["id"]] = middle

    def _span(self, span, before, kind):
        table = marks.CLIENT if kind == "client" else marks.PROCESS
        state, note = span["state"], span.get("note", "")
        to = self.state["now"] if span["to"] is None else span["to"]
        more = {}
        if state == "sending":
            chained = before is not None and before["state"] == "sending"
            more = {"start": before.get("share", 0.0) if chained else 0.0, "share": span.get("share", 1.0)}
        elif state == "asleep":
            more = {"text": note, "sleep": marks.SLEEPS[marks.sleep_kind(note)]}
        elif span.get("pid"):
            more = {"text": str(span["pid"])}
        if state not in table:
            return ""
        mark = shape(
            table[state], self.x(span["from"]), self.x(to), self.bar, self.paint, room=L["room"], **more
        )
        facts = {"data_key": model.key_of(kind, span), "data_state": state, "data_from": str(span["from"])}
        tip = tag("title", escape(f"{table[state][0]}, {marks.time(to - span['from'])} {note}".strip()))
        return tag(
            "g", tip, mark, data_pid=span.get("pid"), data_to=None if span["to"] is None else str(to), **facts
        )

    def _end(self, end):
        look, x = marks.ENDS[end["state"]], self.x(end["t"])
        drawn = glyph(look[2], look[3], self.paint)
        if look[3] == "fail" and end["note"]:
            inside = x + 12 + 7 * len(end["note"]) < WIDTH
            side = {"text_anchor": "start" if inside else "end", "halo": True}
            drawn += words(10 if inside else -10, 0.5, end["note"], self.paint, "fail", **side)
        facts = {"data_key": f"ends.{end['state']}", "data_end": end["state"], "data_from": str(end["t"])}
        return tag("g", drawn, transform=f"translate({x:.2f},0)", **facts)

    def _guess(self, guess, height):
        x, y = self.x(guess["t"]), self.rows.get(guess["lane"])
        facts = {"data_key": "guess.guess", "data_guess": guess["lane"] or "", "data_from": str(guess["t"])}
        seen, drawn = model.measured(self.state, guess), ""
        pen = {"stroke": self.paint("guess"), "stroke_width": 1.5}
        if y is None:
            y = L["axis"]
            drawn = tag("line", x1=x, x2=x, y1=y - 4, y2=height - 4, stroke_dasharray="3 3", **pen)
        elif seen is not None and abs(self.x(seen) - x) > 10:
            way = 1 if seen > guess["t"] else -1
            line = {"x1": x + 4 * way, "x2": self.x(seen) - 6 * way, "y1": y, "y2": y}
            drawn = tag("line", stroke_dasharray="2 2.5", **line, **pen)
        said = guess["label"] if seen is None else f"{marks.time(abs(seen - guess['t']))} off"
        inside = x + 12 + WIDE * len(said) < WIDTH
        side = {"text_anchor": "start" if inside else "end", "halo": True}
        label = words(x + 9 if inside else x - 9, y, said, self.paint, "guess", **side)
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

    def _legend(self, y):
        x, top, drawn = 0.0, y, []
        for name in model.keys(self.state):
            word, meaning = entry(name)
            wide = 40 + 6.6 * len(word)
            if x + wide > WIDTH:
                x, y = 0.0, y + 20
            sample = tag("g", key(name, self.paint), transform=f"translate({x:g},{y:g})")
            drawn.append(tag("g", tag("title", escape(meaning)), sample, words(x + 34, y, word, self.paint)))
            x += wide + 8
        return drawn, y - top + 44


def _room(low, high, least, half=15):
    """Where in a band a word fits: (column, height of its middle) with the most room, or None."""
    best = None
    for at in range(half, len(high) - half):
        floor, top = max(low[at - half : at + half + 1]), min(high[at - half : at + half + 1])
        if top - floor > (best[0] if best else least):
            best = (top - floor, at, (floor + top) / 2)
    return best and best[1:]
