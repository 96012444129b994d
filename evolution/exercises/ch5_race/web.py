"""HTTP as a client of this chapter's checks speaks it: whole answers are cut out of what came."""

import select
import time
from contextlib import suppress
from dataclasses import dataclass

from evolution.exercises.ch5_race.crew import PATIENCE


@dataclass
class Heard:
    """What came on a connection."""

    bodies: list
    closed: bool
    raw: bytes
    seconds: float
    at: float = 0.0
    """When the last of it came (time.monotonic)."""

    @property
    def endless(self):
        """An HTTP head that does not say where its body ends."""
        head, whole, _ = self.raw.lower().partition(b"\r\n\r\n")
        says = (b"\r\ncontent-length:", b"\r\ntransfer-encoding:")
        return bool(whole and head.startswith(b"http/1.") and not any(each in head for each in says))

    @property
    def bare(self):
        """An HTTP head whose lines end with a newline alone."""
        return self.raw.lower().startswith(b"http/1.") and b"\n\n" in self.raw and b"\r\n" not in self.raw


def request(word, *headers):
    return b"\r\n".join([b"GET /" + word + b" HTTP/1.1", b"Host: me", *headers, b"", b""])


def receive(client, count, seconds=PATIENCE):
    """Wait for `count` whole answers, or the end of the connection; return what was Heard."""
    data, closed, begin = b"", False, time.monotonic()
    at = begin
    while len(bodies_of(data)) < count and not closed and time.monotonic() < begin + seconds:
        if select.select([client.sock], [], [], 0.05)[0]:
            try:
                more = client.sock.recv(65536)
            except OSError:
                more = b""
            data, closed, at = data + more, not more, time.monotonic()
    heard = Heard(bodies_of(data), closed, data, time.monotonic() - begin, at)
    shown = repr(data) if len(data) < 200 else f"{data[:150]!r} …"
    client.note(f"server: {shown if data else 'nothing'}{', and closes' if closed else ''}")
    return heard


def bodies_of(data):
    """Return the bodies of all whole HTTP answers in `data`."""
    found = []
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
        length = next((value.strip() for name, _, value in lines if name == b"content-length"), b"")
        if not length.isdigit() or len(rest) < int(length):
            break
        found.append(rest[: int(length)])
        data = rest[int(length) :]
    return found


@dataclass
class Silence:
    """What became of three clients: one says nothing, one sends a byte at times, one asks all the time."""

    silent: float | None = None
    """Seconds until the server closed it, None when it did not."""
    dripping: float | None = None
    after_all: bool = False
    """The silent one was closed once the other two had stopped."""
    cut: float | None = None
    """Seconds until the busy one was closed, although it asked."""
    gap: float = 0.0
    """Seconds since the busy one had asked before: less than `idle` when it was cut too early."""
    story: tuple = ()
    """Of the busy one, when it was answered wrongly."""


def keep_silent(bench, server, idle, most):
    """Watch the three for a while, until both quiet ones are closed or `most` seconds have passed."""
    silent, dripping, busy = server.connect(), server.connect(), server.connect()
    found, begin = Silence(), time.monotonic()
    asked, letters = begin, iter(b"GET /" + b"x" * 999)
    watched = {silent.sock: "silent", dripping.sock: "dripping"}
    while (now := time.monotonic() - begin) < (most if watched else idle * 2.2):
        found.gap, asked = time.monotonic() - asked, time.monotonic()
        word = bench.word()
        busy.send(request(word))
        heard = receive(busy, 1)
        found.gap += heard.seconds
        if heard.bodies != [b"echo " + word]:
            found.cut, found.story = (now if heard.closed else None), tuple(busy.transcript[-2:])
            return found
        with suppress(OSError):
            dripping.sock.send(bytes([next(letters)]))
        pause = time.monotonic() + idle / 3
        while (left := pause - time.monotonic()) > 0:
            for sock in select.select(list(watched), [], [], left)[0] if watched else ():
                setattr(found, watched.pop(sock), time.monotonic() - begin)
            if not watched:
                time.sleep(max(0, pause - time.monotonic()))
    if silent.sock in watched:
        found.after_all = bool(select.select([silent.sock], [], [], idle + 1.5)[0])
    return found
