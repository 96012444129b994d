"""The request to stop, as something a loop can look at and wait for."""

import ctypes
import math
import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress

GRACE = 5.0
"""Seconds after the request to stop in which work in flight may be finished."""

ORPHAN_GRACE = 1
"""Seconds that a worker may still take after its master was killed."""

PR_SET_PDEATHSIG = 1

HELD = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


class Stop:
    """SIGTERM or SIGINT arrived: `requested` turns true, and the object turns readable for select and poll.

        with stop:
            while not stop.requested: ...

    A second signal changes nothing: the server is stopping already, and `deadline` bounds it.
    Every signal that Python handles makes it readable once; `drain` makes it unreadable again.
    Fork while the signals are `held`, and call `inherit` in the child. Outside the main thread no signals can be
    caught (signal(7) handlers belong to the main thread in Python); calling the object asks it to stop.
    """

    def __init__(self):
        self.requested = False
        self.deadline = math.inf
        """time.monotonic() at which even unfinished work is dropped."""
        self.then = lambda: None
        """Called once, when the request arrives."""
        self._master = None
        self._old = None

    def __call__(self, signum=None, frame=None):
        if not self.requested:
            self.requested = True
            self.deadline = time.monotonic() + GRACE
            self.then()
        if self._master and os.getppid() != self._master:
            signal.alarm(ORPHAN_GRACE)  # not caught: it ends us whatever we are doing
        with suppress(OSError):  # a full pipe is readable already
            self._writer.send(b"\0")

    @property
    def overdue(self):
        """True once even unfinished work is to be dropped."""
        return self.deadline < time.monotonic()

    def fileno(self):
        return self._reader.fileno()

    def __enter__(self):
        self._open()
        if threading.current_thread() is threading.main_thread():
            self._old = {number: signal.signal(number, self) for number in (signal.SIGTERM, signal.SIGINT)}
            # Written by the C handler itself, so a signal that arrives just before epoll_wait ends it too.
            signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc):
        if self._old:
            signal.set_wakeup_fd(-1)
            for number, handler in self._old.items():
                signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def drain(self):
        """Take note of the wake-ups so far: the object is not readable until the next signal."""
        with suppress(BlockingIOError):
            self._reader.recv(4096)

    @contextmanager
    def held(self):
        """Hold signals back around a fork, so that none is lost: Python forgets, in the child, those it has
        noted and not handled yet, and the parent's handlers shall find the child in the books."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def inherit(self, master):
        """In a forked worker: a wake-up of its own, and the end when the process `master` ends.

        Call it while the signals are still held; it lets them through.
        """
        self._master = master
        self.then = lambda: None
        shared = self._reader, self._writer
        self._open()
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for end in shared:
            end.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with suppress(AttributeError):  # no prctl outside Linux
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        if self.requested or os.getppid() != master:
            self()

    def _open(self):
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)


_libc = ctypes.CDLL(None)
