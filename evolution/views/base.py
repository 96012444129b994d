"""What all views are made of: one ES module, one stylesheet, and the picture in every form of output.

For whoever writes a view: give the class its file names with `module` and `stylesheet`, `svg()` and `text()`;
the rest is here. anywidget loads a single entry without imports, so language.js goes before the view's file.
"""

from pathlib import Path

import anywidget
import traitlets

from evolution.views import marks

STATIC = Path(__file__).parent / "static"


def module(*names):
    """Text of one ES module: the shared language, then the files `names` of views/static in this order."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in ("language.js", *names))


def stylesheet(*names):
    """Text of one stylesheet: the palette, the shared rules, then the files `names` of views/static."""
    shared = (STATIC / name for name in ("language.css", *names))
    return marks.css() + "\n".join(path.read_text(encoding="utf-8") for path in shared)


class View(anywidget.AnyWidget):
    """A live widget with an SVG twin and a text twin; a subclass says how to draw them: `svg()`, `text()`."""

    language = traitlets.Dict().tag(sync=True)

    @traitlets.default("language")
    def _language(self):
        return marks.language()

    def _repr_mimebundle_(self, **kwargs):
        """The widget for a live notebook; the twins for whatever shows it without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "image/svg+xml": self.svg(), "text/plain": self.text()}, metadata
