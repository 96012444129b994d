"""The worker processes of a master: who is there, and when the next may be started."""

import time

YOUNG = 1.0
"""Seconds. A worker that dies younger than this counts as a failed start."""

FIRST_DELAY, LAST_DELAY = 0.1, 5.0
"""Seconds to wait after a failed start: the first delay, doubled each time, up to the last."""


class Crew:
    """The pids of the workers. It only keeps the books: forking, waiting and killing is the master's."""

    def __init__(self, size):
        self.size = size
        self._born = {}
        self._delay = 0.0
        self._not_before = 0.0

    def __len__(self):
        return len(self._born)

    def __iter__(self):
        return iter(list(self._born))

    @property
    def needs_one(self):
        """True while a worker is missing and it is not too early to try again."""
        return len(self._born) < self.size and time.monotonic() >= self._not_before

    def add(self, pid):
        """A worker was started."""
        self._born[pid] = time.monotonic()

    def remove(self, pid):
        """A worker ended; if it died young, the next start waits."""
        if pid in self._born:
            if time.monotonic() - self._born.pop(pid) < YOUNG:
                self.failed()
            else:
                self._delay = 0.0

    def failed(self):
        """A start failed. The next one waits, twice as long each time: a crash loop that forks as fast
        as it can takes the machine down with it."""
        self._delay = min(self._delay * 2 or FIRST_DELAY, LAST_DELAY)
        self._not_before = time.monotonic() + self._delay
