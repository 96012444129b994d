"""One client of an experiment: its socket, the steps it can take, and its words for what happens to it.

A step is a generator: it yields (what to wait for, until when) wherever the client would wait, and gets back
whether it came; the loop in probe.py waits for ten thousand of them at once. Nothing here sleeps. Each step
that an observer may want to see is told as an event; every client ends in exactly one of ENDS.
"""

import errno
import math
import os
import select
import socket
import struct

READ, WRITE, NOTHING = select.EPOLLIN, select.EPOLLOUT, 0

ENDS = ("done", "refused", "timed_out", "reset", "closed")

PROGRESS = 0.1
"""Seconds between two reports of how much of an answer has arrived."""

MEANING = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timed_out",
}


class HungUp(Exception):
    """The server closed the connection before the client had what it wanted."""


class Client:
    """See the module. `scripts` says by card what it does (conversations.py)."""

    __slots__ = (
        "answers",
        "card",
        "id",
        "label",
        "loop",
        "mask",
        "options",
        "port",
        "script",
        "sock",
        "state",
        "token",
        "told",
    )  # fmt: skip

    def __init__(self, loop, entry, scripts):
        self.loop = loop
        self.id, self.card, self.label = entry["id"], entry["card"], entry["label"]
        self.options = entry["options"]
        self.sock = None
        self.port = None
        self.state = None
        self.told = 0.0
        self.mask = NOTHING
        self.token = 0
        self.answers = Answers()
        self.script = scripts[self.card](self)

    # --- telling ---

    def tell(self, state, note="", **more):
        """Report that this client is in `state` now."""
        event = {"t": self.loop.now(), "kind": "client", "id": self.id, "state": state}
        if self.state is None:
            event |= {"card": self.card, "label": self.label}
        self.state = state
        if note:
            event["note"] = note
        self.told = event["t"]
        self.loop.emit(event | more)

    def end(self, state, note="", **more):
        """Close the socket and report how it ended; only the first end counts."""
        if self.state in ENDS:
            return
        if self.sock:
            self.loop.forget(self)
            self.sock.close()
        self.tell(state, note, **more)

    def fail(self, error):
        """End with what the kernel said."""
        name = errno.errorcode.get(error.errno, "")
        note = f"{name}: {os.strerror(error.errno)}" if name else str(error)
        self.end(MEANING.get(error.errno, "closed"), note, errno=name)

    def out_of_time(self):
        """The experiment is over: say what this client was still waiting for."""
        got, total = self.answers.got, self.answers.total
        if self.state in (None, "connecting"):
            self.end("timed_out", "no connection until the experiment ended")
        elif self.state == "asked":
            self.end(
                "timed_out", f"no answer for {self.loop.now() - self.told:.1f} s, until the experiment ended"
            )
        elif self.state == "receiving" and self.card != "slow_reader":
            self.end("timed_out", f"the answer stopped at {got} of {total or 'unknown'} bytes")
        elif self.state == "receiving":
            self.end("closed", f"left at the end with {got} of {total or 'unknown'} bytes")
        else:
            self.end("closed", "the experiment ended")

    # --- talking ---

    def connect(self, quick=False):
        """Connect; raise OSError as the kernel says it. `quick` does not wait for the handshake."""
        loop, began = self.loop, self.loop.now()
        self.sock = sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if "window" in self.options:  # before connect: the window is agreed in the handshake (tcp(7))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.options["window"])
        loop.bind_source(self)
        result = sock.connect_ex(loop.target)
        self.port = sock.getsockname()[1]
        self.tell("connecting", t=began, port=self.port)
        if result == errno.EINPROGRESS:  # on loopback it is often through by now: ask at once
            result = sock.connect_ex(loop.target)
        if result in (errno.EALREADY, errno.EINPROGRESS) and not quick:
            yield WRITE, math.inf
            result = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result == 0 or result == errno.EISCONN:
            self.tell("connected")
        elif result not in (errno.EALREADY, errno.EINPROGRESS):
            raise OSError(result, os.strerror(result))

    def request(self, last=True):
        """Return the bytes of one request; the last one on a connection says so (RFC 9112, section 9.6)."""
        goodbye = "Connection: close\r\n" if last else ""
        return f"GET {self.options['path']} HTTP/1.1\r\nHost: {self.loop.target[0]}\r\n{goodbye}\r\n".encode()

    def send(self, data):
        """Send all of `data`."""
        while data:
            try:
                data = data[self.sock.send(data) :]
            except BlockingIOError:
                yield WRITE, math.inf

    def ask(self, data):
        """Send a whole request, or several."""
        yield from self.send(data)
        self.tell("asked")

    def receive(self, size):
        """Make one recv: bytes, or None when there are none now. Raise HungUp at the end of the stream."""
        try:
            data = self.sock.recv(size)
        except BlockingIOError:
            return None
        if not data:
            raise HungUp
        return data

    def answer(self, count=1, size=65536, pause=0.0):
        """Read `count` answers, `size` bytes at once with a `pause` after each, and report the progress."""
        answers = self.answers
        answers.begin()
        while count > 0:
            yield READ, math.inf
            try:
                data = self.receive(size)
            except HungUp:
                if answers.end_of_stream():
                    break
                raise
            if data is None:
                continue
            count -= answers.feed(data)
            if self.state != "receiving" or (self.loop.now() - self.told >= PROGRESS and count > 0):
                self.progress()
            if pause and count > 0:
                yield NOTHING, self.loop.now() + pause
        if self.loop.now() > self.told and answers.got > answers.reported:
            self.progress()
        self.tell("answered", answers.status)

    def progress(self):
        answers = self.answers
        answers.reported = answers.got
        total = {"total": answers.total} if answers.total else {}
        self.tell("receiving", bytes=answers.got, **total)

    def stay(self, seconds):
        """Say nothing for `seconds`, but notice when the server speaks or hangs up."""
        until = self.loop.now() + seconds
        while (yield READ, until):
            data = self.receive(4096)
            if data:
                self.answers.feed(data)
                self.tell("receiving", data.partition(b"\r\n")[0].decode("latin-1"), bytes=len(data))

    def reset(self, note):
        """Close with a reset: SO_LINGER with 0 seconds throws away what is unsent (socket(7))."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end("reset", note, own=True)


class Answers:
    """Finds where HTTP answers end in a stream: by Content-Length, else at its end (RFC 9112, section 6.3).

    Bodies are counted, not kept. Chunked answers are taken to last until the end of the stream.
    """

    __slots__ = ("got", "left", "reported", "rest", "status", "total")

    def __init__(self):
        self.rest = b""
        self.begin()

    def begin(self):
        self.left = None
        self.got = self.reported = 0
        self.total = None
        self.status = ""

    def feed(self, data):
        """Take bytes; return how many answers they completed."""
        self.got += len(data)
        data, complete = self.rest + data, 0
        while True:
            if self.left is None:
                head, found, body = data.partition(b"\r\n\r\n")
                if not found:
                    break
                self.left, data = self._body_length(head), body
                self.total = None if complete or self.left == math.inf else len(head) + 4 + self.left
            taken = min(self.left, len(data))
            self.left -= taken
            data = data[taken:]
            if self.left:
                break
            complete, self.left = complete + 1, None
        self.rest = data
        return complete

    def end_of_stream(self):
        """Return whether the end of the stream completes an answer."""
        return self.left == math.inf

    def _body_length(self, head):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = first[:80]
        for line in lines:
            name, _, value = line.partition(":")
            if name.lower() == "content-length" and value.strip().isdecimal():
                return int(value)
        return 0 if first.split(" ")[1:2] in (["204"], ["304"]) else math.inf
