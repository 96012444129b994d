"""A client's socket and the bytes not yet sent to it: the one noun that all server models share.

Nothing here loops, waits for readiness or makes a process. `receive` and `transmit` make one system
call each; whether that call can sleep depends on the socket: a blocking one sleeps (at most a TICK, see
`address.listen`), a non-blocking one never does.

    open ── close() ──> closing ── all sent ──> lingering or finished
      └──── end of file or a reset ──────────────────────────> finished
"""

import math
import socket
import time
from contextlib import suppress

from evolution.core.address import TICK
from evolution.core.signals import Stop

RECEIVE_SIZE = 65536
"""Bytes asked of one recv."""

GATHER = 64
"""Buffers handed to one sendmsg; the kernel takes up to IOV_MAX, 1,024 (writev(2))."""

LINGER = 2.0
"""Seconds in which a closing connection may still swallow what the client sends."""

STALL = 60.0
"""Seconds in which a client must take at least one byte of what is being sent to it."""

_NEVER = Stop()


class Connection:
    """One accepted connection.

    Handlers use `send`, `close`, `context`, `midway`, `deadline` and `stop`; loops use `receive`, `transmit`,
    `wants_write`, `finished`, `overdue`, `wind_down` and `abort`. What a loop asks at every turn is kept as a
    fact by those who change it, not computed each time: it is asked a hundred thousand times a second.
    """

    __slots__ = (
        "_linger",
        "_taken",
        "_unsent",
        "closing",
        "context",
        "deadline",
        "eof",
        "finished",
        "fresh",
        "midway",
        "peer",
        "sock",
        "stop",
        "wants_write",
        "writing",
    )

    def __init__(self, sock, peer, stop=_NEVER):
        self.sock = sock
        self.peer = peer
        self.stop = stop
        """Its `requested` is true once the server is stopping: the answer made then is to be the last."""
        self.context = None
        """Anything a handler wants to keep with this connection."""
        self.deadline = math.inf
        """time.monotonic() at which the loop drops the connection; handlers move it. It stands still while
        the client is slow to take an answer: for that there is STALL."""
        self.midway = False
        """A handler sets it while part of a request has arrived."""
        self.fresh = True
        """Not one byte has arrived yet."""
        self.writing = False
        """A loop's own note: the connection is watched for room to send, not for input."""
        self.wants_write = False
        """Bytes are left over. Until they are out nothing more is read (back-pressure)."""
        self.finished = False
        """There is nothing left to do but to close the socket."""
        self.eof = False
        self.closing = False
        self._linger = False
        self._taken = None  # when the client last took some of an answer that it does not take whole
        self._unsent = []

    def __repr__(self):
        return f"<Connection {self.fileno()} from {self.peer}>"

    def fileno(self):
        """The descriptor, or -1 once closed; it lets select and poll take a Connection as it is."""
        return self.sock.fileno()

    # --- for handlers ---

    def send(self, data):
        """Queue bytes; the loop transmits them. What is queued after `close` is dropped.

        Raises TypeError for a str: here, where it costs the handler's connection; in transmit it would
        cost the server.
        """
        if type(data) is not bytes:
            data = memoryview(data).cast("B")
        if data and not self.closing:
            self._unsent.append(data)
            self.wants_write = True
            self.finished = False

    def close(self, linger=False):
        """End the connection once everything queued is sent.

        With `linger` the server then says that it will write no more, and swallows what still comes for
        up to LINGER seconds: closing with unread input sends a reset, and a reset can destroy an answer
        that the client has not read (RFC 9112, section 9.6).
        """
        if self.closing:
            return
        self.closing, self._linger = True, linger
        if not self.wants_write:
            self._end()

    # --- for loops ---

    def overdue(self, now):
        """True if at `now`, a time.monotonic(), its deadline or that of the whole server's end had passed."""
        deadline = self.deadline if self._taken is None else self._taken + STALL
        return deadline < now or self.stop.deadline < now

    def receive(self):
        """Make one recv. Return bytes for the handler, b"" when the stream is over, None for "not now"."""
        try:
            data = self.sock.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return None
        except OSError:  # reset, or the network gave up (tcp(7): ECONNRESET, ETIMEDOUT, EPIPE)
            self.abort()
            return b""
        self.fresh = False
        if not data:
            self.eof = True
            self.finished = not self.wants_write
        elif self.closing:  # lingering: the last answer is out, nobody listens any more
            return None
        return data

    def transmit(self):
        """Make one send of what is queued; what the kernel does not take stays queued."""
        unsent = self._unsent
        try:
            sent = self.sock.send(unsent[0]) if len(unsent) == 1 else self.sock.sendmsg(unsent[:GATHER])
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return
        if len(unsent) == 1 and sent == len(unsent[0]):
            unsent.clear()
        else:
            self._keep_from(sent)
        if not unsent:
            self.wants_write = False
            if self._taken is not None:
                self._take_note()
            if self.closing or self.eof:
                self._end()

    def wind_down(self):
        """The server is stopping: end at the next boundary between requests, which may be now.

        A connection that has asked nothing yet may have its first request on the way: it gets half a TICK.
        """
        if self.fresh:
            self.deadline = min(self.deadline, time.monotonic() + TICK / 2)
        elif not self.midway and not self.wants_write:
            self.close()

    def abort(self):
        """Give up at once: unsent bytes are lost and the connection is finished."""
        self._unsent.clear()
        self.wants_write = False
        self.closing = self.eof = self.finished = True

    def shut(self):
        """End the stream in both directions: whoever watches the socket sees it."""
        with suppress(OSError):  # the client did so already
            self.sock.shutdown(socket.SHUT_RDWR)

    def _keep_from(self, sent):
        unsent = self._unsent
        self._linger = self._linger or self.closing  # megabytes lie in the kernel: no reset may follow
        if sent or self._taken is None:
            self._take_note()
        done = 0
        while done < len(unsent) and sent >= len(unsent[done]):
            sent -= len(unsent[done])
            done += 1
        del unsent[:done]
        if sent:
            unsent[0] = memoryview(unsent[0])[sent:]

    def _take_note(self):
        """The client took some bytes: move the deadline by the time that it took over them."""
        now = time.monotonic()
        if self._taken is not None:
            self.deadline += now - self._taken
        self._taken = now if self.wants_write else None

    def _end(self):
        """All is sent: say so and linger, or be finished."""
        if self.eof or not self._linger:
            self.finished = True
            return
        self.deadline = time.monotonic() + LINGER
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()
