"""The card that takes the learner's progress home and brings it back: on Binder nothing else survives.

progress_card()
"""

import datetime
import io

import ipywidgets

from evolution.course.cards import Card, box, escape
from evolution.course.progress import Progress
from evolution.views.download import Download

WHERE = "Your answers and attempts are files in the folder “{}”. On Binder they go away with the session."


class ProgressCard(Card):
    """How far the learner has come; a button that downloads all of it as one file; one that restores it."""

    def __init__(self, progress):
        self.progress = progress
        self.said = ipywidgets.HTML()
        self.download = Download("Download my progress", self._make)
        self.restore = ipywidgets.FileUpload(description="Restore from a file", accept=".zip", multiple=False)
        self.restore.layout.width = "auto"
        self.restore.add_class("evolution-restore")
        self.restore.observe(self._uploaded, "value")
        self.state = ipywidgets.HTML()
        self._show_state()
        buttons = ipywidgets.HBox([self.download, self.restore])
        buttons.layout.flex_flow = "row wrap"
        super().__init__([self.state, buttons, self.said])
        self.add_class("evolution-progress")

    def _show_state(self):
        rows = self.progress.summary()
        passed = sum(row["state"] == "passed" for row in rows)
        attempts = sum(row["attempts"] for row in rows)
        words = (
            f"{passed} of {len(rows)} exercises passed, {attempts} attempt{'s' * (attempts != 1)} kept. "
            + WHERE.format(self.progress.folder)
        )
        self.twin_text = words
        self.twin_html = self.state.value = box(escape(words), "info")

    def _make(self):
        """Return (file name, bytes) of everything as it is now. Raises ValueError while there is nothing."""
        file = io.BytesIO()
        if not self.progress.folder.is_dir() or not self.progress.export(file):
            raise ValueError("There is nothing to take home yet: it begins with your first answer.")
        return f"evolution-progress-{datetime.date.today():%Y-%m-%d}.zip", file.getvalue()

    def _uploaded(self, change):
        """Add what the chosen file holds."""
        if not change["new"]:
            return
        file = io.BytesIO(bytes(change["new"][0]["content"]))
        file.name = change["new"][0]["name"]
        try:
            count = self.progress.restore(file)
            words = f"{count} file{'s' * (count != 1)} added; what was here already has stayed."
        except (OSError, ValueError) as error:
            words = str(error)
        self.said.value = f'<div role="status">{escape(words)}</div>'
        self.restore.value = ()  # the same file can be chosen again
        self._show_state()


def progress_card():
    """Return the card for the answers beside this notebook."""
    return ProgressCard(Progress())
