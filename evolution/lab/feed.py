"""What a running experiment and a replayed recording have in common: a story that grows, and who listens."""

import threading
import traceback

TICK = 0.05
"""Seconds between two batches of updates."""

PROGRESS_EVERY = 4
"""Batches between two reports of the progress."""

MOST_ROWS = 100
"""Rows of any list in an X-ray that is handed on: nobody can look at more."""


class Feed:
    """A story in the making. `story`, `xray` and `recording` may be read at any time."""

    def __init__(self, story, recording):
        self.story, self.recording = story, recording
        self.xray = None
        """The last X-ray, its long lists cut to MOST_ROWS."""
        self._subscribers = []
        self._started = self._finished = False
        self._done = threading.Event()
        self._batches = 0
        self._fresh_xray = None

    @property
    def running(self):
        return self._started and not self._done.is_set()

    @property
    def progress(self):
        """How much of the time has passed, from 0 to 1."""
        if self._finished:
            return 1.0
        return min(1.0, self.story.now / self.story.seconds) if self.story.seconds else 0.0

    def subscribe(self, callback):
        """Call `callback(update)` with every update, from a thread; return a function that ends it.

        Updates: {"kind": "timeline", …} (see increments.apply), {"kind": "xray", "state"},
        {"kind": "progress", "value", "running"}; at most 45 a second.
        """
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback) if callback in self._subscribers else None

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end; return whether it has come."""
        return self._done.wait(timeout)

    # --- for the two kinds of feed ---

    def _take_xray(self, xray):
        """Put a sample into the story and keep it for the listeners."""
        self.story.sample(xray)
        shown = thin(xray)
        shown["clients"] = self.story.who()
        self.xray = self._fresh_xray = shown

    def _publish(self):
        """Send one batch of updates."""
        if not self._subscribers:
            return
        self._send(self.story.changes())
        if self._fresh_xray:
            self._send({"kind": "xray", "state": self._fresh_xray})
            self._fresh_xray = None
        if self._batches % PROGRESS_EVERY == 0 or self._finished:
            self._send({"kind": "progress", "value": self.progress, "running": not self._finished})
        self._batches += 1

    def _finish(self, t):
        """The last batch; after it nothing is sent any more."""
        self.story.finish(t)
        self._finished = True
        try:
            self._publish()
        finally:
            self._done.set()

    def _send(self, update):
        for callback in list(self._subscribers):
            try:
                callback(update)
            except Exception:
                traceback.print_exc()  # say it once, and go on without this listener
                self._subscribers.remove(callback)


LISTS = ("threads", "fds", "entries")
"""Lists in the rows of an X-ray's own lists."""


def thin(xray):
    """Return an X-ray whose lists have at most MOST_ROWS rows; "hidden" says how many are missing.

    Rows with nothing to cut are the same objects: copies of all would cost more than the look itself.
    """
    hidden = {}

    def cut(name, rows):
        if len(rows) > MOST_ROWS:
            hidden[name] = hidden.get(name, 0) + len(rows) - MOST_ROWS
        return rows[:MOST_ROWS]

    short = dict(xray)
    for name, rows in xray.items():
        if isinstance(rows, list):
            short[name] = [
                row | {inner: cut(inner, row[inner]) for inner in LISTS if inner in row}
                if not row.keys().isdisjoint(LISTS)
                else row
                for row in cut(name, rows)
            ]
    return short | {"hidden": hidden} if hidden else short
