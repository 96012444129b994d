"""The X-ray's static twin: the rows and lines of the browser in one SVG, 720 px wide, folded, light.

Places follow static/xray.js and its measures, which come from here. Notebooks without a kernel show this.
"""

import textwrap
from html import escape

from evolution.views import marks

MEASURES = {
    "widest": 960,
    "narrow": 560,  # px: below, clients are written beside their connections
    "processes": (200, 310),
    "kernel": (230, 340),
    "clients": (130, 200),
    "top": 28,
    "gap": 12,
    "pad": 5,
    "rows": {
        "process": 24,
        "thread": 20,
        "fd": 18,
        "quiet": 18,
        "words": 18,
        "more": 20,
        "heading": 20,
        "listener": 22,
        "queue": 22,
        "conn": 20,
        "epoll": 22,
        "watch": 20,
        "client": 20,
    },
}
"""Pixels, for the browser too (in the synced `language`)."""

WIDTH = 720
COLUMNS = {"processes": (0, 238), "kernel": (294, 259), "clients": (590, 130)}
LINES = {
    "listener": 'stroke="{queued}" stroke-width="2" stroke-dasharray="0.5 4.5" stroke-linecap="round"',
    "client": 'stroke="{served}" stroke-width="1.6"',
    "epoll": 'stroke="{quiet}" stroke-width="1.4" stroke-dasharray="5 3.5"',
    "tcp": 'stroke="{quiet}" stroke-width="1.2"',
}
COLOURS = {name: pair[0] for name, pair in marks.PALETTE.items()}
STYLE = "".join(
    f".evo-xray-twin {rule}"  # a page of pictures has one style sheet: nobody else's text may be meant
    for rule in (
        "text{{font:11px system-ui,sans-serif;font-variant-numeric:tabular-nums;fill:{ink};"
        "dominant-baseline:central}}",
        "text.name{{font-size:12px;font-weight:600}}",
        "text.bold{{font-weight:600}}",
        "text.soft{{fill:{soft}}}",
        "text.call{{font-family:monospace}}",
        "text.on{{fill:{onmark}}}",
        "text.fail{{fill:{fail}}}",
        "text.queued{{fill:{queued}}}",
        "text.said{{font-size:13px}}",
    )
).format(**COLOURS)


def drawing(scene):
    """Return a well-formed SVG of what `scene` gives; rows carry data-row, lines data-from and data-to."""
    places, cards, height = _places(scene)
    server = scene["server"]
    title = f"X-ray of the {server['model']} server" if server.get("model") else "X-ray"
    said = textwrap.wrap(("Recorded: " if scene.get("recorded") else "") + scene["sentence"], 100)
    total = height + 44 + 18 * len(said)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 16}" height="{total}"'
        f' viewBox="-8 0 {WIDTH + 16} {total}" role="img" data-view="xray" class="evo-xray-twin">',
        f"<title>{escape(title)}</title><desc>{escape(scene['sentence'])}</desc><style>{STYLE}</style>",
        f'<rect x="-8" width="{WIDTH + 16}" height="{total}" fill="{COLOURS["page"]}"/>',
        _text(0, 16, title, "name"),
        _text(WIDTH, 16, server.get("address") or "", "soft", "end"),
        '<g transform="translate(0,32)">',
    ]
    for column in scene["columns"]:
        x, width = COLUMNS[column["id"]]
        parts.append(_text(x + 1, 9, column["title"], "bold soft") + _path(f"M{x} 19.5h{width}", "rule", 1))
        if not column["blocks"]:
            parts.append(_text(x + 1, MEASURES["top"] + 10, "nothing seen", "soft"))
    parts += [_tree(card) for card in cards if card["root"]]
    parts += [
        _box(c["x"] + 0.5, c["y"] + 0.5, c["width"] - 1, c["height"] - 1, "page", "rule", 5) for c in cards
    ]
    parts += [_line(line, places) for line in scene["lines"]]
    tied = {name for line in scene["lines"] if line["kind"] != "tcp" for name in (line["from"], line["to"])}
    parts += [_drawn_row(place, place["row"]["key"] in tied) for place in places.values()]
    parts.append("</g>")
    parts += [_text(0, height + 48 + 18 * i, line, "said") for i, line in enumerate(said)]
    return "".join(parts) + "</svg>"


# --- places ---
def _places(scene):
    towards = {line["to"]: line["from"] for line in reversed(scene["lines"]) if line["kind"] != "tcp"}
    places, cards, lowest = {}, [], MEASURES["top"] + 40
    for column in scene["columns"]:
        left, full = COLUMNS[column["id"]]
        carded, y, above = column["id"] != "clients", MEASURES["top"], []
        for block in column["blocks"]:
            indent = min(block.get("depth", 0) * 12, 36)
            x, width = left + indent, full - indent
            if column["id"] == "kernel" and y > MEASURES["top"]:
                y = max(y, _straight(block, towards, places))
            top, y = y, y + MEASURES["pad"] * carded
            for row in block["rows"]:
                height = MEASURES["rows"][row["kind"]]
                if row.get("beside") in places:
                    beside = places[row["beside"]]
                    y = max(y, beside["y"] + beside["height"] / 2 - height / 2)
                inner = (x + 8, width - 16) if carded else (x + 2, width - 2)
                places[row["key"]] = {
                    "row": row,
                    "x": inner[0],
                    "y": y,
                    "width": inner[1],
                    "height": height,
                    "left": x,
                    "right": x + width,
                    "column": column["id"],
                    "marked": any(each.get("look") for each in block["rows"]),
                }
                y += height
            y += MEASURES["pad"] * carded
            depth = block.get("depth", 0)
            if carded:
                root = above[depth - 1] if 0 < depth <= len(above) else None
                cards.append({"x": x, "y": top, "width": width, "height": y - top, "root": root})
                above[depth:] = [(x + 5, y)]
            y += MEASURES["gap"]
        lowest = max(lowest, y)
    return places, cards, lowest


def _straight(block, towards, places):
    """Where a block would start for its first line to run level."""
    y = MEASURES["pad"]
    for row in block["rows"]:
        height = MEASURES["rows"][row["kind"]]
        if towards.get(row["key"]) in places:
            start = places[towards[row["key"]]]
            return start["y"] + start["height"] / 2 - height / 2 - y
        y += height
    return 0


# --- pieces of SVG ---
def _text(x, y, words, look="", anchor="start", room=None):
    words = str(words)
    if room is not None:
        most = int(room / (6.9 if "name" in look or "call" in look else 6.3))
        words = words if len(words) <= most else words[: max(1, most - 1)] + "…"
    return f'<text x="{x:g}" y="{y:g}" class="{look}" text-anchor="{anchor}">{escape(words)}</text>'


def _box(x, y, width, height, fill, stroke="", radius=2, thick=1.0):
    edge = f' stroke="{COLOURS[stroke]}" stroke-width="{thick:g}"' if stroke else ""
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} rx="{radius}" fill="{COLOURS[fill]}"{edge}/>'


def _path(d, colour, thick, more=""):
    return f'<path d="{d}" fill="none" stroke="{COLOURS[colour]}" stroke-width="{thick:g}"{more}/>'


def _dot(x, colour):
    return (
        f'<circle cx="{x:g}" r="2.8" fill="{COLOURS[colour]}" stroke="{COLOURS["ink"]}" stroke-width="1.4"/>'
    )


def _tree(card):
    (x, y), middle = card["root"], card["y"] + MEASURES["pad"] + 12
    return _path(f"M{x:g} {y:g}V{middle:g}H{card['x']:g}", "quiet", 1.2)


def _line(line, places):
    start, stop, kind = places.get(line["from"]), places.get(line["to"]), line["kind"]
    if not start or not stop:
        return ""
    x0, x1 = (start["left"] - 2, stop["right"]) if kind == "tcp" else (start["right"] + 3, stop["left"])
    y0, y1 = (place["y"] + place["height"] / 2 for place in (start, stop))
    bend = (x1 - x0) / 2
    look = LINES.get(kind, LINES["client"]).format(**COLOURS)
    return (
        f'<path fill="none" {look} data-line="{kind}" data-from="{line["from"]}" data-to="{line["to"]}"'
        f' d="M{x0:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"/>'
    )


def _mark(look, x, width, words=""):
    table, name = look.split(".")
    if table == "ends":
        glyph = marks.GLYPHS[marks.ENDS[name][2]]
        colour = COLOURS[marks.ENDS[name][3]]
        ink = f'fill="{colour}"' if glyph["fill"] else f'fill="none" stroke="{colour}" stroke-width="2"'
        return f'<path transform="translate({x + width / 2:g},0)" d="{glyph["d"]}" {ink}/>'
    if table == "sleeps":
        _, _, strands, dash, colour = marks.SLEEPS[name]
        start = min(x + 10 + 6.9 * len(words), x + width)
        more = f' stroke-dasharray="{dash}" stroke-linecap="round"' if dash else ""
        d = "".join(f"M{start:g} {y}H{x + width - 2:g}" for y in ((-3.5, 0, 3.5) if strands == 3 else (0,)))
        bar = _box(x, -7.5, width, 15, "pale") + _text(x + 5, 0.5, words, "call", room=width - 10)
        return bar + _path(d, colour, 1.3, more)
    _, _, shape, colour = (marks.PROCESS if table == "process" else marks.CLIENT)[name]
    if shape in ("line", "dash"):
        return _path(f"M{x:g} 0h{width:g}", colour, 1.5, ' stroke-dasharray="3 2.5"' * (shape == "dash"))
    if shape == "ramp":
        edge = f'<path d="M{x:g} 6.5L{x + width:g} -6.5V6.5Z" fill="{COLOURS[colour]}"/>'
        return _box(x, -6.5, width, 13, "pale") + edge
    if shape == "solid":
        return _box(x, -6.5, width, 13, colour) + _text(x + 4, 0.5, words, "on")
    more = _text(x + 4, 0.5, words, "call") if shape == "hatch" else ""
    return _box(x + 0.75, -5.75, width - 1.5, 11.5, "page", colour, 2, 1.5) + more


def _drawn_row(place, tied):
    row, x, width = place["row"], place["x"], place["width"]
    end, note, kind = x + width, row["note"], row["kind"]
    wrong = "fail" if row.get("wrong") else "soft"
    taken = len(note) * 6.3 + 8 if note else 0
    tail = _text(end, 0, note, wrong, "end") if note else ""
    if kind == "process":
        busy = row["look"] == "process.running"
        dead = row["look"] in ("process.zombie", "process.stopped")
        box = _box(x, -8, 18, 16, "busy" if busy else "page" if dead else "pale", "busy", 3, 1.2)
        body = box + _text(x + 9, 0.5, row["letter"], "bold on" if busy else "bold", "middle")
        body += _text(x + 25, 0, row["text"], "name", room=width - 25 - taken) + tail
    elif kind == "thread":
        body = _mark(row["look"], x, width, row["text"])
    elif kind == "fd":
        body = _text(x + 22, 0, row["fd"], "call soft", "end")
        body += _text(x + 29, 0, row["text"], room=width - 29 - taken)
        body += _text(end - 4, 0, note, "call soft", "end") + (_dot(place["right"], "page") if tied else "")
    elif kind == "quiet":
        fits = width - 29 >= len(row["text"]) * 6.3 + taken
        body = _text(x + 29, 0, row["text"], "soft", room=width - 29) + (tail if fits else "")
        body += _path(f"M{x + 14:g} -3.5l4.5 3.5l-4.5 3.5", "soft", 1.5)
    elif kind == "queue":
        body = _slots(x, row) + _text(end, 0, row["text"], _queue_look(row), "end")
    elif kind == "watch":
        body = _chips(x, row, end)
    elif kind in ("conn", "more", "client"):
        body = _connection(place, tied, tail, taken)
    else:
        look = {"heading": "bold soft", "words": "soft"}.get(kind, "name")
        body = _text(x, 0, row["text"], look, room=width - taken) + tail
    middle = place["y"] + place["height"] / 2
    tip = "\n".join([row["head"], *row["facts"], row["words"]])
    name = escape(f'data-row="{row["key"]}" data-kind="{kind}"', quote=False)
    return f'<g transform="translate(0,{middle:g})" {name}><title>{escape(tip)}</title>{body}</g>'


def _connection(place, tied, tail, taken):
    row, x, width = place["row"], place["x"], place["width"]
    words = row.get("pid") or ""
    long = len(words) * 6.6 + 10 if words else 22
    if place["column"] == "clients":
        shift, mark = 24 if place["marked"] else 2, _mark(row["look"], x, 18) if row.get("look") else ""
    else:
        shift, mark = (long + 7, _mark(row["look"], x, long, words)) if row.get("look") else (0, "")
    room = width - shift
    fits = len(row["text"]) * 6.3 + taken - 2 <= room
    look = "bold" if row["kind"] == "more" else ""
    dot = _dot(place["left"] if place["column"] == "kernel" else place["right"], "ink") if tied else ""
    return mark + _text(x + shift, 0, row["text"], look, room=room) + (tail if fits else "") + dot


def _queue_look(row):
    return "bold fail" if row["wrong"] else "bold queued" if row["length"] else "soft"


def _slots(x, row):
    limit, length = row["limit"], row["length"]
    needed, space = max(limit or 0, length), int((239 - len(row["text"]) * 6.3) / 10)
    shown = max(1, needed if needed <= space else space - 1)
    boxes = []
    for i in range(shown):
        colour = ("fail" if limit is not None and i >= limit else "queued") if i < length else "quiet"
        fill, thick = (colour, 1.6) if i < length else ("page", 0.8)
        boxes.append(_box(x + i * 10 + 0.75, -6.25, 8, 12.5, fill, colour, 1.5, thick))
    return "".join(boxes) + (_text(x + shown * 10 + 2, 0, "…", "soft") if needed > shown else "")


def _chips(x, row, end):
    parts = []
    for flag in row["chips"] or ["–"]:
        width = len(flag) * 6.8 + 8
        fill = "pale" if flag in ("IN", "OUT") else "page"
        parts.append(_box(x, -7.5, width, 15, fill, "quiet", 3))
        parts.append(_text(x + width / 2, 0.5, flag, "call", "middle"))
        x += width + 4
    note = row["note"] if end - x > 110 else ""
    parts.append(_text(x + 3, 0, row["text"], room=end - x - 3 - len(note) * 6.3))
    return "".join(parts) + _text(end, 0, note, "fail" if row.get("wrong") else "soft", "end")
