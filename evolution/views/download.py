"""A button that hands a file to the browser: bytes are made at the moment of the click, in the kernel.

No picture, but a part of the house for the same reasons: one ES module, no server of ours, works offline.
"""

import anywidget
import traitlets

from evolution.views.base import STATIC


class Download(anywidget.AnyWidget):
    """`make()` returns (file name, bytes) and is called for each click; what it raises is shown as a line.

    An OSError or ValueError is told to the person; anything else is a mistake of ours and is raised.
    """

    _esm = (STATIC / "download.js").read_text(encoding="utf-8")
    label = traitlets.Unicode().tag(sync=True)

    def __init__(self, label, make):
        super().__init__(label=label)
        self._make = make
        self.on_msg(self._clicked)

    def _clicked(self, _, message, __):
        if message.get("kind") != "make":
            return
        try:
            name, data = self._make()
        except (OSError, ValueError) as error:
            self.send({"kind": "failed", "words": str(error)})
        else:
            self.send({"kind": "file", "name": name}, buffers=[data])
