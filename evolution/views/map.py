"""The map: the generations in the order of the course, and how far the learner has come."""

from html import escape

import traitlets

from evolution.views import base
from evolution.views.map_glyphs import SIZE, glyph
from evolution.views.map_svg import drawing
from evolution.views.map_words import OUTCOMES, dot, said, state_of, text, went
from evolution.views.shapes import tag


class Map(base.View):
    """Show {"chapters": [{"number", "title", "notebook", "ready", "minutes", "exercises", "models"}, …]}.

    `ready` says whether the notebook is there. An exercise is {"name", "title", "outcome"}, the outcome
    "passed", "tried" or "open"; a model is {"name", "idea", "after": the model it comes from, or ""}.
    """

    _esm = base.module("map.js")
    _css = base.stylesheet("map.css")
    state = traitlets.Dict()
    html = traitlets.Unicode().tag(sync=True)
    """The map as HTML, in the colours of the theme around it; the links are relative."""

    def __init__(self, state, **kwargs):
        super().__init__(state=state, **kwargs)

    @traitlets.observe("state")
    def _redraw(self, change):
        stops = "".join(map(self._stop, change["new"]["chapters"]))
        sentence = f'<p class="evo-sentence">{escape(said(change["new"]))}</p>'
        self.html = (
            '<section class="evo evo-map" data-view="map" aria-label="Map of the course">'
            f'<ol class="evo-way">{stops}</ol>{sentence}</section>'
        )

    def svg(self, theme="light"):
        """Return the static twin: one well-formed SVG, legible on light and dark pages."""
        return drawing(self.state, theme)

    def text(self):
        """Return the text twin; its first line is the sentence under the picture."""
        return text(self.state)

    def _stop(self, chapter):
        state = state_of(chapter, self.state)
        facts = f'data-chapter="{chapter["number"]}" data-state="{state}"'
        title = escape(chapter["title"])
        if chapter["ready"]:
            title = f'<a href="{escape(chapter["notebook"])}">{title}</a>'
        when = f"about {chapter['minutes']} min" if chapter["ready"] else "to come"
        head = f'<p class="evo-stop"><strong>{title}</strong> <span class="evo-when">{when}</span></p>'
        tiles = "".join(map(_tile, chapter["models"]))
        tiles = f'<div class="evo-tiles">{tiles}</div>' if tiles else ""
        number = f'<span class="evo-number" aria-hidden="true">{chapter["number"]}</span>'
        return f"<li {facts}>{number}{head}{_exercises(chapter)}{tiles}</li>"


def _exercises(chapter):
    """The exercises as dots; opened, by name."""
    if not chapter["exercises"]:
        return ""
    dots = "".join(_dot(each) for each in chapter["exercises"])
    rows = "".join(
        f"<li>{_dot(each)} {escape(each['title'])}: {OUTCOMES[each['outcome']]}</li>"
        for each in chapter["exercises"]
    )
    return (
        f'<details class="evo-exercises"><summary><span class="evo-dots">{dots}</span> {went(chapter)}'
        f"</summary><ul>{rows}</ul></details>"
    )


def _dot(exercise):
    """One exercise: solid when passed, half when tried, hollow before."""
    drawn = tag(
        "svg", dot(exercise["outcome"], paint), viewBox="-6 -6 12 12", width=12, height=12, aria_hidden="true"
    )
    return f'<span data-exercise="{exercise["name"]}" data-outcome="{exercise["outcome"]}">{drawn}</span>'


def _tile(model):
    after = f'<span class="evo-after">after {escape(model["after"])}</span>' if model["after"] else ""
    width, height = SIZE
    box = {"width": width, "height": height, "viewBox": f"0 0 {width} {height}", "aria_hidden": "true"}
    return (
        f'<div class="evo-tile" data-model="{model["name"]}">{tag("svg", glyph(model["name"], paint), **box)}'
        f"<div><code>{model['name']}</code>{after}<br><span>{escape(model['idea'])}</span></div></div>"
    )


def paint(role):
    """Return a colour that follows the theme of the page."""
    return f"var(--evo-{role})"
