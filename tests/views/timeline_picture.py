"""The timeline's picture read back: its tree, and where each text of it stands."""

import re
import xml.etree.ElementTree as ET

from evolution.views.timeline_svg import drawing

SVG = "{http://www.w3.org/2000/svg}"


def root(state, theme="light"):
    return ET.fromstring(drawing(state, theme))


def placed(node, x=0.0, y=0.0):
    """Yield (text, left, right, y) of all texts, with the shifts of the groups around them."""
    if shift := re.match(r"translate\((-?[\d.]+),(-?[\d.]+)\)", node.get("transform", "")):
        x, y = x + float(shift[1]), y + float(shift[2])
    if node.tag == f"{SVG}text":
        wide, at = 6.2 * len(node.text), x + float(node.get("x"))
        left = at - wide * {"end": 1, "middle": 0.5}.get(node.get("text-anchor"), 0)
        yield node.text, left, left + wide, y + float(node.get("y"))
    for child in node:
        yield from placed(child, x, y)
