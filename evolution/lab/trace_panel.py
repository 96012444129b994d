"""`lab.calls`: the view of system calls of a running server, of one that has ended, or of a recording."""

import threading
import time
import traceback
import weakref

from evolution.lab import launch, procfs, recording
from evolution.lab.trace_story import TraceStory
from evolution.views import SysCalls
from evolution.views.syscalls_recorded import recorded

EVERY = 0.05
"""Seconds between two looks at the trace of a running server."""

HEARTBEAT = 0.25
"""Seconds between two updates when nothing happens: the calls under way have grown."""

SETTLES_WITHIN = 1.0
"""Seconds that the first picture may wait for what strace has not told yet: it is a little behind."""

_following = weakref.WeakKeyDictionary()
"""Server: its Follower. A cell that is run again makes a new view, and the old one need not go on."""


def calls(subject=None):
    """Return the view of system calls; it goes on while the server runs.

    `subject` is a server, a recording or the path of one; without one, a recorded run is shown. So it is for
    a server that has no trace, with the sentence why. Raises RecordingError for a file that is none.
    """
    if subject is None:
        return SysCalls()
    if isinstance(subject, launch.Server):
        return _of_server(subject)
    if not isinstance(subject, recording.Recording):
        subject = recording.load(subject)
    return SysCalls(subject.calls().as_dict())


def _of_server(server):
    if server.trace is None:
        return SysCalls(recorded(server.model) | {"note": f"{server.untraced} This is a recorded run."})
    follower = Follower(server)
    if before := _following.pop(server, None):
        before.stop()
    _following[server] = follower
    return follower.view


class Follower:
    """Pushes what a trace says into a view, until the trace is over, or `stop`."""

    def __init__(self, server):
        self._trace, self._seen = server.trace, 0
        self._story = TraceStory(f"{server.model}: system calls")
        self._stop = threading.Event()
        self._take_all(server)
        self._story.changes()  # what the view is given whole below
        self.view = SysCalls(self._story.as_dict())
        if self._story.running:
            threading.Thread(target=self._work, name="system calls", daemon=True).start()

    def stop(self):
        """Push nothing more; harmless at any time."""
        self._stop.set()

    def _take_all(self, server):
        """Take what the server has done so far: all is told once it sleeps, and then nothing more comes.

        While strace looks at a call the caller is in state t (ptrace(2)), so it does not seem asleep then.
        """
        end, quiet = time.monotonic() + SETTLES_WITHIN, False
        while not quiet and not self._trace.over and time.monotonic() < end:
            slept = _asleep(server)
            self._stop.wait(EVERY)  # sleeps here
            quiet = not self._take() and slept
        self._take()

    def _take(self):
        """Take what is new; return whether there was anything."""
        over = self._trace.over  # noted before the look, so that its last words are not missed
        events, self._seen, under_way = self._trace.read(self._seen)
        self._story.feed(events)
        self._story.under_way([] if over else under_way, self._trace.now)
        if over:
            self._story.finish()
        return bool(events)

    def _work(self):
        silent = 0.0
        try:
            while self._story.running and not self._stop.wait(EVERY):  # sleeps here
                silent = 0.0 if self._take() else silent + EVERY
                if silent == 0.0 or silent >= HEARTBEAT or not self._story.running:
                    silent = 0.0
                    self.view.push(self._story.changes())
        except Exception:
            traceback.print_exc()  # say it once; the server and its trace go on


def _asleep(server):
    """Whether all threads of all the server's processes sleep; a zombie has done with all."""
    tree = procfs.tree(server.pid)
    return all(thread.state == "S" for process in tree for thread in process.threads)
