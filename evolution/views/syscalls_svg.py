"""The static twin of the system calls: one SVG, for whatever shows a notebook without a kernel.

Places and marks are the browser's (static/syscalls.js), with everything in sight and no filter.
"""

import textwrap
from html import escape

from evolution.views import marks
from evolution.views import syscalls_state as model
from evolution.views.lanes_svg import WIDTH, L, Lanes
from evolution.views.shapes import WIDE, glyph, painter, shape, tag, words

COUNT_ROW = 20


def drawing(state, theme="light"):
    """Return a well-formed SVG of a state of SysCalls, 720 px wide; marks carry data-word and data-from.

    `theme` is "light" or "dark"; ValueError for another.
    """
    return _Drawing(model.whole(state), painter(theme)).svg()


class _Drawing(Lanes):
    def __init__(self, state, paint):
        super().__init__(state, paint, max(0.001, state["now"]))
        dense = len(state["lanes"]) >= L["dense"]
        self.row, self.bar = (L["dense_row"], L["dense_bar"]) if dense else (L["row"] + 4, L["bar"] + 2)
        self.rows = {lane["id"]: L["axis"] + self.row * (i + 0.5) for i, lane in enumerate(state["lanes"])}

    def svg(self):
        floor = L["axis"] + self.row * len(self.state["lanes"]) + 6
        lanes = [part for lane in self.state["lanes"] for part in self._lane(lane)]
        costs, y = self._costs(floor)
        head = words(4, 11, "Threads", self.paint, "soft", class_="head")
        drawn = [head, *self.axis(floor), *self._births(), *lanes, *costs]
        return self.page("System calls", y, model.keys(self.state), drawn)

    # --- lanes ---

    def _lane(self, lane):
        y, inset, now = self.rows[lane["id"]], 10 * min(lane["depth"], 3), self.state["now"]
        yield self.name(y, lane["label"], inset)
        end = lane["end"]["t"] if lane["end"] else now
        between = shape(marks.SYSCALL["between"], self.x(lane["begin"]), self.x(end), self.bar, self.paint)
        drawn = [tag("g", between, opacity=0.55), *self._spans(lane, now)]
        if lane["end"]:
            look = marks.ENDS["gone"]
            at = {"transform": f"translate({self.x(end):.1f},0)", "data_end": "gone"}
            drawn.append(tag("g", glyph(look[2], look[3], self.paint), **at))
        yield tag("g", *drawn, transform=f"translate(0,{y:g})", data_lane=lane["id"])

    def _spans(self, lane, now):
        """Yield the marks of a lane; short calls that share a pixel are drawn once."""
        reached, flags = float("-inf"), []
        for span in lane["spans"]:
            x0, x1 = self.x(span["from"]), self.x(model.to(span, now))
            facts = {"data_word": span["word"], "data_kind": span["kind"], "data_from": str(span["from"])}
            tip = tag(
                "title",
                escape(
                    f"{model.called(span)} {span['said']}, {marks.time(model.to(span, now) - span['from'])}: {span['words']}"
                ),
            )
            if span["kind"] == "signal":
                look = marks.SYSCALL["signal"]
                at = {"transform": f"translate({x0:.1f},0)"}
                flags.append(tag("g", tip, glyph(look[2], look[3], self.paint), **at, **facts))
                continue
            if span["kind"] != "wait" and x1 - x0 < 1.5 and x0 < reached + 0.5:
                continue
            reached = max(x1, x0 + 1.5)
            yield tag("g", tip, self._mark(span, x0, x1), **facts)
        yield from flags

    def _mark(self, span, x0, x1):
        if span["kind"] == "wait":
            sleep = marks.SLEEPS[marks.sleep_kind(span["word"])]
            said = next((name for name in model.names(span) if x1 - x0 >= 6.8 * len(name) + 10), "")
            return shape(marks.PROCESS["asleep"], x0, x1, self.bar, self.paint, text=said, sleep=sleep)
        said = next(
            (name for name in model.names(span) if x1 - x0 >= max(L["room"], WIDE * len(name) + 6)), ""
        )
        mark = shape(marks.SYSCALL[span["kind"]], x0, x1, self.bar, self.paint, text=said, room=L["room"])
        if said and span["kind"] == "fail":
            mark += words(x0 + 5, 0.5, said, self.paint, "fail", class_="call")
        return mark

    def _births(self):
        """Yield the lines from the call that made a thread to the thread."""
        begin = {lane["id"]: lane["begin"] for lane in self.state["lanes"]}
        for lane in self.state["lanes"]:
            for span in lane["spans"]:
                if (child := span.get("child")) in begin:
                    x = self.x(max(span["from"], min(span["to"], begin[child])))
                    path = f"M{x:.1f} {self.rows[lane['id']]:g}V{self.rows[child]:g}"
                    line = {"stroke": self.paint("busy"), "stroke_width": 1, "stroke_dasharray": "2 2"}
                    yield tag("path", d=path, fill="none", data_birth=child, **line)

    # --- below ---

    def _costs(self, floor):
        head, rows = self.state["counts"]["head"], self.state["counts"]["rows"]
        if not rows:
            return [], floor
        top, most, paint = floor + L["gap"], max(row["n"] for row in rows), self.paint
        drawn = [
            tag("line", x1=0, x2=WIDTH, y1=top - 2, y2=top - 2, stroke=paint("rule")),
            words(4, top + 10, "Cost of a request", paint, "soft", class_="head"),
            words(self.left, top + 10, f"{head}; the solid ones carry its bytes", paint, "soft"),
        ]
        for i, row in enumerate(rows):
            y, long = top + 30 + COUNT_ROW * i, max(2.0, row["n"] / most * 226)
            fill, stroke = ("busy", "busy") if row["carries"] else ("pale", "quiet")
            pen = {"height": 11, "rx": 2, "fill": paint(fill), "stroke": paint(stroke)}
            bar = tag("rect", x=self.left, y=y - 5.5, width=long, **pen)
            name = words(self.left - 8, y, row["word"], paint, text_anchor="end", class_="call")
            value = words(self.left + long + 8, y, row["each"], paint)
            after = self.left + long + 8 + WIDE * len(row["each"]) + 6
            why = textwrap.shorten(row["why"], int((WIDTH - after) / 6), placeholder="…")
            note = words(after, y, why, paint, "soft")
            drawn.append(tag("g", name, bar, value, note, data_count=row["word"]))
        return drawn, top + 30 + COUNT_ROW * len(rows)
