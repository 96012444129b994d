"""The request to stop, as something a loop can look at and wait for."""

import ctypes
import math
import os
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress

from evolution.core.address import wake_up_each

GRACE = 5.0
"""Seconds after the request to stop in which work in flight may be finished."""

HASTE = 0.01
"""Seconds that an accept or recv may still sleep once a signal has come."""

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
    Fork while the signals are `held`, and call `inherit` in the child. Outside the main thread no signal
    can be caught (in Python, handlers belong to the main thread); calling the object asks it to stop.
    """

    def __init__(self):
        self.requested = False
        self.deadline = math.inf
        """time.monotonic() at which even unfinished work is dropped."""
        self.then = lambda: None
        """Called once, when the request arrives."""
        self.sleepers = {}
        """The sockets on which the process may sleep, "listener" and "client": signals shorten the sleep."""
        self._master = self._forker = None
        self._old = {}
        self._ends = ()  # reader and writer, for those who wait for readiness; the others need no descriptor

    def __call__(self, signum=None, frame=None):
        if not self.requested:
            self.requested = True
            self.deadline = time.monotonic() + GRACE
            self._hear_no_more()
            self.then()
        orphan = self._master and os.getppid() != self._master
        if orphan:
            signal.alarm(ORPHAN_GRACE)  # not caught: it ends us whatever we are doing
        self._shorten_sleep(alone=orphan or not self._master)
        self._wake()

    @property
    def overdue(self):
        """True once even unfinished work is to be dropped."""
        return self.deadline < time.monotonic()

    def fileno(self):
        """A descriptor that is readable once a signal has come."""
        if not self._ends:
            self._ends = socket.socketpair()
            for end in self._ends:
                end.setblocking(False)
            if self._old:
                # Written by the C handler itself, so a signal just before epoll_wait ends it too.
                signal.set_wakeup_fd(self._ends[1].fileno(), warn_on_full_buffer=False)
            if self.requested:
                self._wake()
        return self._ends[0].fileno()

    def drain(self):
        """Take note of the wake-ups so far: the object is not readable until the next signal."""
        with suppress(BlockingIOError):
            self._ends[0].recv(4096)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._old = {number: signal.signal(number, self) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *exc):
        self._close_ends()
        for number, handler in self._old.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self):
        """Hold signals back around a fork, so that none is lost: Python forgets, in the child, those it has
        noted and not handled yet, and the parent's handlers shall find the child in the books."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        self._forker = os.getpid()
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def inherit(self, listener=None):
        """In a forked worker: a wake-up of its own, and the end when the process that forked it ends.

        Call it while the signals are still held; it lets them through. `listener`: where it sleeps in accept.
        """
        self._master = self._forker
        self.sleepers = {"listener": listener} if listener else {}
        self.then = lambda: None
        self._close_ends()  # they are the master's
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with suppress(AttributeError):  # no prctl outside Linux
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
        if os.getppid() != self._master:
            self()

    def _hear_no_more(self):
        """Ignore what only repeats the request: each signal starts the time-out of an accept or recv anew
        (PEP 475), so an impatient Ctrl-C every TICK would keep us for ever. A worker still hears SIGTERM:
        it may be the news of its master's end."""
        if self._old and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if not self._master:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _shorten_sleep(self, alone):
        """Python makes a call anew that a signal has interrupted, and its time-out begins anew (PEP 475).
        So the time-out is cut here, before that. A listener is the whole crew's, but for an orphan."""
        for name, sock in list(self.sleepers.items()):  # other threads add theirs
            if name == "client" or alone:
                with suppress(OSError):  # it is closed
                    wake_up_each(HASTE, sock)

    def _wake(self):
        if self._ends:
            with suppress(BlockingIOError):  # full: it is readable already
                self._ends[1].send(b"\0")

    def _close_ends(self):
        if self._ends and self._old:
            signal.set_wakeup_fd(-1)
        for end in self._ends:
            end.close()
        self._ends = ()


_libc = ctypes.CDLL(None)
