"""The map's static twin: one SVG, for nbconvert, GitHub and whatever shows a notebook without a kernel."""

import textwrap
from html import escape
from itertools import pairwise

from evolution.views.map_glyphs import glyph
from evolution.views.map_words import dot, said, state_of, went
from evolution.views.shapes import painter, tag, words

WIDTH, LEFT, GAP, TILE = 720, 44, 8, 132
STYLE = "".join(
    f".evo-map-twin {rule}"
    for rule in (
        "text{font:12px system-ui,sans-serif;dominant-baseline:central}",
        "text.title{font:600 14px system-ui,sans-serif}",
        "text.name{font:600 12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
        "text.small{font-size:11px}",
        "text.said{font-size:13px}",
    )
)


def drawing(state, theme="light"):
    """Return a well-formed SVG of a map, 720 px wide. `theme` is "light" or "dark"; ValueError for another."""
    paint, y, drawn, stops = painter(theme), 20, [], []
    for chapter in state["chapters"]:
        stops.append((y, state_of(chapter, state)))
        y = _chapter(chapter, stops[-1], paint, drawn) + 26
    spine = [
        tag(
            "line",
            x1=13,
            x2=13,
            y1=a,
            y2=b,
            stroke=paint("sending" if kind == "done" else "rule"),
            stroke_width=2,
        )
        for (a, kind), (b, _) in pairwise(stops)
    ]
    for line in textwrap.wrap(said(state), 108):
        drawn.append(words(4, y + 4, line, paint, class_="said"))
        y += 18
    parts = [
        f"<title>The map of the course</title><desc>{escape(said(state))}</desc><style>{STYLE}</style>",
        tag("rect", x=-8, width=WIDTH + 16, height=y + 6, fill=paint("page")),
        *spine,
        *drawn,
    ]
    box = {"width": WIDTH + 16, "height": y + 6, "viewBox": f"-8 0 {WIDTH + 16} {y + 6}"}
    return tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", role="img", class_="evo-map-twin", **box)


def _chapter(chapter, stop, paint, drawn):
    """Draw one chapter; return where it ends."""
    y, state = stop
    solid = {"done": "sending", "next": "served"}.get(state)
    pen = {"stroke": paint(solid or "quiet"), "stroke_width": 2}
    pen["stroke_dasharray"] = "3 3" if state == "to-come" else None
    drawn.append(
        tag("circle", cx=13, cy=y, r=12, fill=paint(solid or "page"), data_chapter=chapter["number"], **pen)
    )
    drawn.append(
        words(
            13,
            y,
            chapter["number"],
            paint,
            "onmark" if solid else "ink",
            text_anchor="middle",
            class_="title",
        )
    )
    drawn.append(
        words(LEFT, y, chapter["title"], paint, "ink" if chapter["ready"] else "soft", class_="title")
    )
    when = f"about {chapter['minutes']} min" if chapter["ready"] else "to come"
    drawn.append(words(LEFT + 8.2 * len(chapter["title"]) + 10, y + 1, when, paint, "soft"))
    if chapter["exercises"]:
        y += 22
        for number, each in enumerate(chapter["exercises"]):
            at = {"transform": f"translate({LEFT + 6 + 15 * number},{y})", "data_outcome": each["outcome"]}
            drawn.append(tag("g", tag("title", escape(each["title"])), dot(each["outcome"], paint), **at))
        drawn.append(words(LEFT + 10 + 15 * len(chapter["exercises"]), y, went(chapter), paint, "soft"))
    y += 16
    wide = (WIDTH - LEFT - 2 * GAP) / 3
    for number, model in enumerate(chapter["models"]):
        x = LEFT + number * (wide + GAP)
        pen = {"rx": 6, "fill": "none", "stroke": paint("rule")}
        drawn.append(tag("rect", x=x, y=y, width=wide, height=TILE, data_model=model["name"], **pen))
        drawn.append(tag("g", glyph(model["name"], paint), transform=f"translate({x + 12:g},{y + 10})"))
        drawn.append(words(x + 12, y + 83, model["name"], paint, class_="name"))
        if model["after"]:
            at = x + 22 + 7.4 * len(model["name"])
            drawn.append(words(at, y + 83, f"after {model['after']}", paint, "soft", class_="small"))
        for row, line in enumerate(textwrap.wrap(model["idea"], 33)[:2]):
            drawn.append(words(x + 12, y + 99 + 15 * row, line, paint))
    return y + TILE if chapter["models"] else y
