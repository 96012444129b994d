"""What a panel of ipywidgets needs from the browser's side: its style, and a name for each slider."""

import anywidget

from evolution.views.base import STATIC, stylesheet


class Form(anywidget.AnyWidget):
    """Shows nothing. ipywidgets gives the handles of its sliders no name, so a screen reader would say none.

    Put it into the panel, a box of the class ``evolution-panel`` whose rows are of the class
    ``evolution-rows``.
    """

    _esm = (STATIC / "form.js").read_text(encoding="utf-8")
    _css = stylesheet("panel.css")
