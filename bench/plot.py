"""Results as pictures: bars for what a request costs, log–log lines for what idle connections add to it."""

import math

STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; font-variant-numeric: tabular-nums; }
text.soft { fill: #57606a; font-size: 12px; }
.grid { stroke: #d0d7de; } .ours { fill: #0b6aa2; } .peer { fill: #8c959f; }
.select_loop { stroke: #a8480a; fill: #a8480a; } .poll_loop { stroke: #00785a; fill: #00785a; }
.epoll_loop { stroke: #0b6aa2; fill: #0b6aa2; }
polyline { fill: none !important; stroke-width: 2; } text.name { stroke: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } text.soft { fill: #9da7b3; } .grid { stroke: #3d444d; } .ours { fill: #5ab4e5; }
  .select_loop { stroke: #f0935a; fill: #f0935a; } .poll_loop { stroke: #3fc79a; fill: #3fc79a; }
  .epoll_loop { stroke: #5ab4e5; fill: #5ab4e5; }
}
</style>"""
WIDTH, ROW = 720, 24


def bars(found, way, ours):
    """Return an SVG of one way's ratios, cheapest first, on a logarithmic axis; `ours` are the course's."""
    rows = sorted((row for row in found["rows"] if row["way"] == way), key=lambda row: row["ratio"])
    first = next(row["server"] for row in rows if row["ratio"] == 1.0)
    height = 58 + ROW * len(rows)
    x = _axis(min(0.8, rows[0]["ratio"]), max(row["ratio"] for row in rows) * 1.1, 190, WIDTH - 80)
    title = f"Processor time of a request, {way}: × {first}, logarithmic"
    parts = [_open(height, title), _text(10, 22, title, "title")]
    for mark in (1, 2, 5, 10, 20, 50):
        if mark < max(row["ratio"] for row in rows):
            parts += [
                _line(x(mark), 34, x(mark), height - 20),
                _text(x(mark), height - 4, mark, "soft", "middle"),
            ]
    for index, row in enumerate(rows):
        y, end = 38 + ROW * index, x(row["ratio"])
        kind = "ours" if row["server"] in ours else "peer"
        parts.append(_text(182, y + 14, row["server"], "label", "end"))
        parts.append(f'<rect class="{kind}" x="190" y="{y}" width="{end - 190:.1f}" height="18"/>')
        parts.append(_text(end + 6, y + 14, f"{row['ratio']:.2f}", "soft"))
    return "\n".join([*parts, "</svg>\n"])


def lines(found, active=1):
    """Return an SVG of the cost of a request against idle connections, both axes logarithmic."""
    rows = [row for row in found["rows"] if row["active"] == active and row["idle"] > 0]
    idle, cost = [row["idle"] for row in rows], [row["us"] for row in rows]
    left, top, right, bottom = 80, 50, 520, 330
    x, y = _axis(min(idle), max(idle), left, right), _axis(min(cost) * 0.7, max(cost) * 1.4, bottom, top)
    title = f"Processor time of a request beside idle connections, {active} active"
    parts = [_open(406, title), _text(10, 22, title, "title")]
    for mark in (10**power for power in range(-1, 6)):
        if min(cost) * 0.7 <= mark <= max(cost) * 1.4:
            parts += [
                _line(left, y(mark), right, y(mark)),
                _text(left - 8, y(mark) + 4, f"{mark:,} µs", "soft", "end"),
            ]
        if min(idle) <= mark <= max(idle):
            parts.append(_text(x(mark), bottom + 20, f"{mark:,}", "soft", "middle"))
    parts.append(_text((left + right) / 2, bottom + 40, "idle connections", "soft", "middle"))
    for slope in found["slopes"]:
        kind = slope["server"]
        at = [(x(row["idle"]), y(row["us"])) for row in rows if row["server"] == kind]
        if at and slope["active"] == active:
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in at)
            parts.append(f'<polyline class="{kind}" points="{points}"/>')
            parts += [f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="4"/>' for a, b in at]
            limit = " †" if kind == "select_loop" else ""
            words = f"{kind}{limit}, {_nanoseconds(slope['ns'])} each"
            parts.append(_text(at[-1][0] + 10, at[-1][1] + 4, words, f"name {kind}"))
    parts.append(_text(left, 398, "† select can watch descriptors 0 to 1,023 only", "soft"))
    return "\n".join([*parts, "</svg>\n"])


def _nanoseconds(slope):
    return f"{slope:.0f} ns" if slope > 0.5 else "under 0.5 ns"


def _axis(low, high, start, end):
    """Return the function that puts a value on a logarithmic axis."""
    return lambda value: start + (end - start) * math.log(value / low) / math.log(max(high / low, 1.01))


def _open(height, title):
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{title}</title>{STYLE}'


def _text(x, y, words, kind, anchor="start"):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _line(x1, y1, x2, y2):
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
