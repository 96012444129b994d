"""A glyph for each generation: how it is built, at a glance. Drawn in a box of 96 × 56.

Boxes are processes, wavy lines threads, dots clients: solid ones are served, hollow ones wait. Amber is the
kernel's: the queue, the listener, the list of descriptors.
"""

from evolution.views.shapes import tag

SIZE = 96, 56


def glyph(model, paint):
    """Return the glyph of a model as SVG elements; "" for one that has none. `paint`: role → colour."""
    return "".join(tag(name, **_painted(attributes, paint)) for name, attributes in GLYPHS.get(model, ()))


def _painted(attributes, paint):
    roles = {
        key: paint(value)
        for key, value in attributes.items()
        if key in ("fill", "stroke") and value != "none"
    }
    return attributes | roles


def _box(x, y, width, height):
    pen = {"rx": 3, "fill": "pale", "stroke": "busy", "stroke_width": 1.5}
    return "rect", {"x": x, "y": y, "width": width, "height": height, **pen}


def _client(x, y, served=True, radius=3.6):
    look = {"fill": "served"} if served else {"fill": "page", "stroke": "queued", "stroke_width": 1.5}
    return "circle", {"cx": x, "cy": y, "r": radius if served else radius - 0.6, **look}


def _idle(x, y):
    return "circle", {"cx": x, "cy": y, "r": 2.6, "fill": "page", "stroke": "quiet", "stroke_width": 1.3}


def _line(x1, y1, x2, y2, colour="served", width=1.6, dash=None):
    pen = {"stroke": colour, "stroke_width": width, "stroke_dasharray": dash}
    return "line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, **pen}


def _path(d, colour="busy", width=1.5, fill="none"):
    pen = {"stroke": colour, "stroke_width": width, "stroke_linecap": "round", "stroke_linejoin": "round"}
    return "path", {"d": d, "fill": fill, **pen}


def _thread(x, y):
    return _path(f"M{x} {y}q3 -5 6 0t6 0t6 0t6 0")


def _loop(x, y, radius):
    r = radius
    turn = f"M{x + 0.87 * r:.1f} {y - 0.5 * r:.1f}A{r} {r} 0 1 0 {x + r} {y + 0.05 * r:.1f}"
    return [
        _path(turn, width=1.7),
        _path(f"M{x + r - 3.2} {y - 2.4}L{x + r} {y + 0.6}L{x + r + 3} {y - 2.6}", width=1.7),
    ]


def _slot(x, y, width, height, full=False, colour="queued"):
    look = {"fill": "served" if full else "page", "stroke": colour, "stroke_width": 1.3}
    return "rect", {"x": x, "y": y, "width": width, "height": height, "rx": 1.5, **look}


def _look(number):
    """Of five clients the second has something to say."""
    return ("served", 2) if number == 1 else ("quiet", 1.1)


_COLUMN = (7, 17.5, 28, 38.5, 49)
_RING = ((48, 7), (78, 17), (70, 45), (26, 45), (18, 17))

GLYPHS = {
    "blocking": [
        _line(14, 28, 58, 28, width=2),
        _line(18, 9, 46, 19, "queued", 1.3, "3 2.5"),
        _line(18, 47, 46, 37, "queued", 1.3, "3 2.5"),
        _client(14, 28, radius=4.2),
        _client(14, 8, served=False),
        _client(14, 48, served=False),
        _box(58, 15, 28, 26),
    ],
    "fork": [
        *(_path(f"M48 16V22H{x}V27", width=1.3) for x in (16, 48, 80)),
        *(_line(x, 38, x, 48) for x in (16, 48, 80)),
        _box(38, 4, 20, 12),
        *(_box(x - 8, 27, 16, 11) for x in (16, 48, 80)),
        *(_client(x, 50) for x in (16, 48, 80)),
    ],
    "threads": [
        _box(44, 4, 44, 48),
        *(_line(12, y, 52, y) for y in (14, 28, 42)),
        *(_client(12, y) for y in (14, 28, 42)),
        *(_thread(54, y) for y in (14, 28, 42)),
    ],
    "prefork": [
        *(_line(48, 27, x, y, "queued", 1.3) for x, y in _RING),
        *(_box(x - 8, y - 5.5, 16, 11) for x, y in _RING),
        _path("M48 19L56 27L48 35L40 27Z", "queued", 1.7, "page"),
    ],
    "select_loop": [
        *(_line(11, y, 64, 28, *_look(i)) for i, y in enumerate(_COLUMN)),
        *(_client(11, y) if i == 1 else _idle(11, y) for i, y in enumerate(_COLUMN)),
        _box(62, 15, 24, 26),
    ],
    "poll_loop": [
        *(_line(11, y, 36, y, *_look(i)) for i, y in enumerate(_COLUMN)),
        *(_client(11, y) if i == 1 else _idle(11, y) for i, y in enumerate(_COLUMN)),
        *(_slot(36, y - 5.2, 16, 10.4, i == 1, "busy") for i, y in enumerate(_COLUMN)),
        _box(52, 15, 24, 26),
    ],
    "epoll_loop": [
        *(_line(9, y, 28, y, *_look(i)) for i, y in enumerate(_COLUMN)),
        _path("M44 17.5H52L60 28H68", "served", 2),
        *(_client(9, y) if i == 1 else _idle(9, y) for i, y in enumerate(_COLUMN)),
        *(_slot(28, y - 5.2, 16, 10.4, i == 1) for i, y in enumerate(_COLUMN)),
        _line(58, 2, 58, 54, "quiet", 1.2, "2 3"),
        _box(68, 15, 22, 26),
    ],
    "reactor": [
        *_loop(14, 28, 9),
        _line(27, 28, 34, 28, "served"),
        *(_slot(x, 23, 10, 10, x == 56) for x in (36, 46, 56)),
        *(_path(f"M66 28L70 {y}", "served", 1.4) for y in (12, 28, 44)),
        *(_thread(70, y) for y in (12, 28, 44)),
    ],
    "multireactor": [
        *(_line(x + dx, 50, x, 32, "served", 1.2) for x in (17, 48, 79) for dx in (-8, 0, 8)),
        *(_box(x - 12, 5, 24, 25) for x in (17, 48, 79)),
        *(each for x in (17, 48, 79) for each in _loop(x - 1, 17.5, 6)),
        *(_client(x + dx, 50, radius=2.8) for x in (17, 48, 79) for dx in (-8, 0, 8)),
    ],
}
