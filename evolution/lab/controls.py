"""The small parts that a panel is put together from: sliders, rows, buttons, folds."""

import html

import ipywidgets

from evolution.lab.clients import CARDS, most

MANY = (0, 10, 50, 100, 500, 1000, 2000, 5000, 10_000)
"""How many idle clients can be chosen."""


def slider(card, n):
    """Return the slider of one client card, at `n` clients."""
    look = {"description": card.title, "tooltip": card.sentence, "style": {"description_width": "7.5em"}}
    if card.name == "idle":
        options = [(f"{each:,}", each) for each in sorted({*MANY, n}) if each <= most()]
        made = ipywidgets.SelectionSlider(options=options, value=n, **look)
    else:
        made = ipywidgets.IntSlider(n, 0, max(20, n), **look)
    made.add_class(f"evolution-slider-{card.name}")
    return made


def row(name, slider):
    """Return a slider with the sentence of its card behind it."""
    made = ipywidgets.HBox([slider, ipywidgets.HTML(html.escape(CARDS[name].sentence))])
    made.add_class("evolution-client")
    return made


def column(rows):
    """Return rows below each other."""
    made = ipywidgets.VBox(rows)
    made.add_class("evolution-rows")
    return made


def button(label, icon, tooltip, action):
    """Return a button; its class is its label."""
    made = ipywidgets.Button(description=label, icon=icon, tooltip=tooltip)
    made.layout.width = "auto"
    made.add_class(f"evolution-{label.lower()}")
    made.on_click(action)
    return made


def fold(label, content):
    """Return a toggle that shows and hides `content`, hidden at first."""
    toggle = ipywidgets.ToggleButton(description=label, tooltip=f"Show or hide: {label}")
    toggle.add_class("evolution-fold")

    def follow(_=None):
        toggle.icon = "caret-down" if toggle.value else "caret-right"
        content.layout.display = None if toggle.value else "none"

    toggle.observe(follow, "value")
    follow()
    return toggle


def family(widget):
    """Yield a widget and everything that exists for its sake: children, layouts, styles."""
    yield widget
    for name in widget.keys:
        value = getattr(widget, name)
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(each, ipywidgets.Widget):
                yield from family(each)
