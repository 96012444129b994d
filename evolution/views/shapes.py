"""The marks of the visual language as SVG text, for the static twins; static/language.js draws the same ones.

Bars are drawn around y = 0 from x0 to x1, glyphs around (0, 0). `paint` turns a role into a colour.
"""

from html import escape

from evolution.views import marks

WIDE, MONO = 6.6, 6.8
"""Pixels that a letter takes at 11 px, at most."""


def painter(theme):
    """Return role → colour for "light" or "dark"; raises ValueError for another theme."""
    if theme not in ("light", "dark"):
        raise ValueError(f"expected theme 'light' or 'dark', not {theme!r}")
    column = ("light", "dark").index(theme)
    return {role: pair[column] for role, pair in marks.PALETTE.items()}.__getitem__


def tag(name, *children, **attributes):
    """Return one SVG element; ``stroke_width=1`` gives ``stroke-width="1"``, None leaves an attribute out."""
    pairs = ((key.strip("_").replace("_", "-"), value) for key, value in attributes.items())
    said = "".join(f' {key}="{escape(_figure(value))}"' for key, value in pairs if value is not None)
    return f"<{name}{said}>{''.join(children)}</{name}>" if children else f"<{name}{said}/>"


def words(x, y, text, paint, colour="ink", halo=False, **attributes):
    """Return text with its middle at `y`; no style sheet of the page around it can change its colour."""
    around = (
        f";paint-order:stroke;stroke:{paint('page')};stroke-width:5px;stroke-linejoin:round" if halo else ""
    )
    return tag("text", escape(str(text)), x=x, y=y, style=f"fill:{paint(colour)}{around}", **attributes)


def _figure(value):
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def shape(look, x0, x1, height, paint, *, text="", start=0.0, share=1.0, sleep=None, room=30):
    """Return a mark. `look` is (word, meaning, shape, colour), as the tables of marks.py have it."""
    kind, colour = look[2], paint(look[3])
    x1 = max(x1, x0 + 1.5)
    if kind in ("dash", "line"):
        dash = "3 2.5" if kind == "dash" else None
        return _line(x0, x1, colour, dash, 1.5)
    if kind == "hollow":
        return _bar(x0, x1, height - 1.5, paint("page"), colour, 0.75)
    if kind == "half":
        return _bar(x0, x1, height / 2 - 1, paint("pale"), colour, 0.5, 1)
    if kind == "solid":
        bar = _bar(x0, x1, height, colour)
        if text and x1 - x0 >= max(room, len(text) * WIDE + 6):
            bar += words(x0 + 4, 0.5, text, paint, "onmark")
        return bar
    if kind == "ramp":
        return _ramp(x0, x1, height, paint, colour, start, share)
    if kind == "asleep":
        return _asleep(x0, x1, height, paint, text, sleep)
    if kind == "hatch":
        return _bar(x0, x1, height - 1.5, "url(#evo-hatch)", colour, 0.75)
    if kind == "box":
        letter = words((x0 + x1) / 2, 0.5, "Z", paint, text_anchor="middle", font_weight=700)
        return _bar(x0, x1, height - 1.5, paint("page"), colour, 0.75) + (letter if x1 - x0 >= 12 else "")
    return ""


def _bar(x0, x1, height, fill, stroke=None, inset=0.0, thick=1.5, round_=2):
    return tag(
        "rect",
        x=x0 + inset,
        y=-height / 2,
        width=max(0.5, x1 - x0 - 2 * inset),
        height=height,
        rx=round_,
        fill=fill,
        stroke=stroke,
        stroke_width=thick if stroke else None,
    )


def _line(x0, x1, colour, dash=None, thick=1.3, y=0.0, cap=None):
    more = {"stroke_dasharray": dash or None, "stroke_linecap": cap}
    return tag("line", x1=x0, x2=x1, y1=y, y2=y, stroke=colour, stroke_width=thick, **more)


def _ramp(x0, x1, height, paint, colour, start, share):
    floor, low = height / 2, 0.06
    left, right = (floor - height * min(1.0, max(low, each)) for each in (start, share))
    corners = ((x0, floor), (x0, left), (x1, right), (x1, floor))
    points = " ".join(f"{_figure(float(x))},{_figure(float(y))}" for x, y in corners)
    return _bar(x0, x1, height, paint("pale"), round_=0) + tag("polygon", points=points, fill=colour)


def _asleep(x0, x1, height, paint, text, sleep):
    _, _, strands, dash, colour = sleep or marks.SLEEPS["other"]
    drawn, begin = _bar(x0, x1, height, paint("pale")), x0 + 1
    if text and x1 - x0 >= len(text) * MONO + 10:
        drawn += words(x0 + 5, 0.5, text, paint, class_="call")
        begin = min(x0 + len(text) * MONO + 10, x1)
    dots = dash == "1 4"
    for y in (-3.5, 0.0, 3.5) if strands == 3 else (0.0,):
        drawn += _line(
            begin, max(begin, x1 - 1), paint(colour), dash, 2 if dots else 1.3, y, "round" if dots else None
        )
    return drawn


def glyph(name, colour, paint):
    """Return the mark of an end, with a halo in the colour of the page."""
    table = marks.GLYPHS[name]
    pen = {"d": table["d"], "stroke_linecap": "round", "stroke_linejoin": "round"}
    halo = tag("path", fill="none", stroke=paint("page"), stroke_width=4.5, **pen)
    if table["fill"]:
        return halo + tag("path", d=table["d"], fill=paint(colour))
    return halo + tag("path", fill="none", stroke=paint(colour), stroke_width=2, **pen)


def ghost(x, y, paint):
    """Return the mark of a prediction."""
    return tag(
        "rect", x=x - 4, y=y - 8, width=8, height=16, rx=4, fill=paint("page"), stroke=paint("guess"),
        stroke_width=1.5, stroke_dasharray="2.5 2",
    )  # fmt: skip


def hatching(paint):
    """Return the pattern of a stopped process."""
    lines = tag("rect", width=5, height=5, fill=paint("page")) + tag(
        "rect", width=1.8, height=5, fill=paint("busy")
    )
    turn = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    return tag("defs", tag("pattern", lines, id="evo-hatch", width=5, height=5, **turn))


def key(name, paint):
    """Return the picture of one entry of the legend, 30 px wide, around y = 0; `name` as in `entry`."""
    table, _, item = name.partition(".")
    if table == "ends":
        return tag("g", glyph(marks.ENDS[item][2], marks.ENDS[item][3], paint), transform="translate(15,0)")
    if table == "syscall" and marks.SYSCALL[item][2] in marks.GLYPHS:
        return tag("g", glyph(*marks.SYSCALL[item][2:], paint), transform="translate(15,0)")
    if table == "syscall":
        return shape(marks.SYSCALL[item], 2, 28, 13, paint)
    if table == "guess":
        return ghost(8, 0, paint) + _line(14, 28, paint("guess"), "2 2", 1.5)
    if table == "sleeps":
        return shape(marks.PROCESS["asleep"], 2, 28, 13, paint, sleep=marks.SLEEPS[item])
    return shape((marks.CLIENT if table == "client" else marks.PROCESS)[item], 2, 28, 13, paint)


def entry(name):
    """Return (word, meaning) of an entry of the legend, such as ``client.queued`` or ``sleeps.many``."""
    table, _, item = name.partition(".")
    tables = {"client": marks.CLIENT, "ends": marks.ENDS, "process": marks.PROCESS, "sleeps": marks.SLEEPS}
    tables["syscall"] = marks.SYSCALL
    return tables[table][item][:2] if table in tables else marks.GUESS[:2]
