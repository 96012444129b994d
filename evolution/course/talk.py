"""A client on the bench, and how it tells an answer that is late from one that will never come.

Silence is judged by facts before the clock: a process that sleeps in recv with nothing left to read will not
answer however long one waits; one that has used CHEW seconds of processor time on a line of text never will.
Only when neither can be seen and DEADLINE has passed is it the machine that was too slow.
"""

import fcntl
import select
import socket
import struct
import sys
import termios
import time
from contextlib import suppress
from dataclasses import dataclass

from evolution.course.verdict import TooSlow, Unrecognised

DEADLINE = 4.0
"""Seconds for one answer, whatever happens."""

STILL = 0.25
"""Seconds of sleep in one place, with nothing happening, after which nothing will."""

NAP = 2.5
"""Seconds granted to a process that sleeps with a time-out of its own, so may wake by itself."""

MAY_WAKE = frozenset({"", "poll", "select", "epoll_wait", "sleep", "futex", "sigwait"})
"""Calls that may have a time-out of their own; "" where the call cannot be seen."""

CHEW = 0.5
"""Seconds of processor time after which an answer to one short request is not coming."""


@dataclass
class Reply:
    """What came back: `text` without its newline, or None and why nothing came."""

    text: bytes | None
    silent: str | None = None
    """asleep, spinning, closed, reset or ended."""
    doing: str = ""
    """For a silent one: where the process is, with the learner's line."""
    after: float = 0.0
    """Seconds it took."""


class Spins(Unrecognised):
    """The server does not sleep, although there is nothing to do."""


class Note(str):
    """A line of a transcript, which knows whose it is: evidence made of it leads back to the client."""

    def __new__(cls, line, client):
        note = super().__new__(cls, line)
        note.client = client
        return note


class Client:
    """One connection to the answer, with a transcript of what was said on it."""

    def __init__(self, server):
        self.server = server
        self.id = f"c{len(server.clients) + 1}"
        self.transcript = []
        self.open = False
        """Whether neither side has ended it, as far as we have seen."""
        self._unread, self._heard = b"", 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        label = f"client {len(server.clients) + 1}"
        self.tell("connecting", label=label, card="")
        try:
            self.sock.connect(("127.0.0.1", server.port))
        except OSError:
            self.sock.close()
            raise
        self.port = self.sock.getsockname()[1]
        self.open = True
        self.tell("connected", port=self.port)

    def tell(self, state, **more):
        """Keep a fact for the picture, see looks.py."""
        self.server.looks.tell(self.id, state, **more)

    def _ended(self, state, **more):
        if self.open:
            self.open = False
            self.tell(state, **more)

    def note(self, line):
        self.transcript.append(Note(line, self.id))

    def send(self, data):
        """Send all of it at once; a peer that does not read it makes this TooSlow at last."""
        self.note(f"client sends {shown(data)}")
        try:
            self.sock.sendall(data)
            self.tell("asked")
        except TimeoutError:
            self.note("the server does not read it")
        except OSError as error:
            self.note(f"that failed: {error.strerror}")

    @property
    def unfinished(self):
        """What has come and does not end with a newline."""
        return self._unread.rpartition(b"\n")[2]

    def half_close(self):
        """Say that nothing more will come: the server's recv returns b"" (shutdown(2))."""
        self.note("client ends its side: recv returns b'' from now on")
        self.server.looks.mark(self.id, "ended its side")
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """End the connection with RST: SO_LINGER with 0 seconds (socket(7))."""
        self.note("client resets the connection")
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        self._ended("reset", own=True, note="the client reset the connection")

    def close(self):
        self.sock.close()
        if self._heard:
            self._ended("done", note="the client left")
        self._ended("closed", own=True, note="the client left without an answer")

    def hear(self, patience=DEADLINE, hold=False):
        """Wait for one line of reply. With `hold`, silence is what is hoped for: keep to it for `patience`.

        Raises TooSlow when neither an answer nor a reason for silence can be seen.
        """
        begin = time.monotonic()
        watch = Watch(self.server, self.port)
        while True:
            if b"\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\n")
                self.tell("answered")
                self.tell("idle")
                words = line.decode(errors="backslashreplace")
                self.note(f"server: {words if len(words) <= 160 else words[:120] + ' … ' + words[-30:]}")
                return Reply(line, after=time.monotonic() - begin)
            # Taken before the look: what comes while we get no processor has come in time.
            waited = time.monotonic() - begin
            if select.select([self.sock], [], [], 0.02)[0]:
                ended = self._receive()
                if ended:
                    self.note(f"server {ended} the connection")
                    return Reply(None, ended, after=time.monotonic() - begin)
                continue
            if hold and waited > patience:
                if self._unread:
                    self.note(f"server: {shown(self._unread)}, without a newline")
                return Reply(None, "held", after=waited)
            silent = watch.verdict(waited)
            if silent and self._has_something():
                continue  # it spoke before it ended, or fell asleep
            if silent and not (hold and silent == "asleep"):
                doing = self.server.where()
                came = f"{shown(self._unread)} without a newline, no more" if self._unread else "nothing"
                self.note(f"{came} comes: {'' if silent == 'ended' else 'the server is '}{doing}")
                return Reply(None, silent, doing, waited)
            if waited > patience:
                raise TooSlow(
                    *self.transcript, f"no answer within {patience:g} s, and no reason to be seen for it"
                )

    def _receive(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            self._ended("reset", errno="ECONNRESET", note="the server reset the connection")
            return "resets"
        except OSError as error:
            return f"lost ({error.strerror})"
        self._unread = (self._unread + data)[-(2**21) :]
        if data:
            self._heard += len(data)
            self.tell("receiving", bytes=self._heard)
            return None
        self._ended("done" if self._heard else "closed", note="the server closed the connection")
        return "closes"

    def settle(self, seconds=DEADLINE):
        """Wait until the server has read everything and sleeps (True), or has something to say (False).

        Everything has arrived when nothing is unacknowledged here (SIOCOUTQ, tcp(7)), and is read when none
        of it is queued there. A server that then sleeps wants more. Raises Spins for one that never sleeps,
        TooSlow after `seconds`.
        """
        deadline, cpu_before = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            if self._has_something():
                return False
            found = self.server.process()
            if found is None or found.state in "ZX":
                return False
            cpu_before = found.cpu_ns if cpu_before is None else cpu_before
            if found.cpu_ns - cpu_before > CHEW * 1e9:
                used = f"{(found.cpu_ns - cpu_before) / 1e9:.1f} s of processor time"
                raise Spins(
                    *self.transcript,
                    f"the server used {used} with nothing to read; it is {self.server.where()}",
                )
            arrived = not int.from_bytes(fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
            if arrived and found.state == "S" and self.server.unread(self.port) == 0 and self._still_asleep():
                self.server.looks.now()
                return not self._has_something()  # it may have spoken before it fell asleep
            time.sleep(0.002)
        raise TooSlow(*self.transcript, f"the server had not read this after {seconds:g} s")

    def _has_something(self):
        return b"\n" in self._unread or bool(select.select([self.sock], [], [], 0)[0])

    def _still_asleep(self):
        found = self.server.process()
        return found is not None and found.state == "S"


class Watch:
    """Looks at the server while a client waits, and says when waiting has become pointless."""

    def __init__(self, server, port):
        self.server, self.port = server, port
        self.cpu_before = {each["pid"]: each["cpu_ms"] for each in server.looks.now()["processes"]}
        self.last, self.since = None, 0.0

    def verdict(self, waited):
        """Return "asleep", "spinning", "ended" or None for "wait on".

        It is asleep when every thread of every process of the answer is: any of them might speak.
        """
        xray = self.server.looks.now()
        processes = xray["processes"]
        if not any(each["pid"] == self.server.pid and each["state"] not in "ZX" for each in processes):
            return "ended"
        if any(each["cpu_ms"] - self.cpu_before.get(each["pid"], 0) > CHEW * 1000 for each in processes):
            return "spinning"
        threads = [thread for each in processes for thread in each["threads"]]
        unread = [each["unread"] for each in xray["connections"] if each["port"] == self.port]
        now = [(each["pid"], each["state"], each["voluntary"]) for each in processes], threads, unread
        if now != self.last or any(each["state"] not in "SZ" for each in (*processes, *threads)):
            self.last, self.since = now, waited
            return None
        calls = [(thread["call"] or "").partition("(")[0] for thread in threads]
        return "asleep" if waited - self.since > (NAP if MAY_WAKE.intersection(calls) else STILL) else None


def nap_of(server):
    """Return the time-out in ms with which the process sleeps in poll, None when it has none.

    Python's settimeout is a poll before each call; its third argument stands in /proc/PID/syscall.
    """
    with suppress(OSError, ValueError, IndexError, AttributeError):
        found = server.process()
        if found.threads[0].call.name != "poll":
            return None
        with open(f"/proc/{server.pid}/syscall") as file:
            value = int(file.read().split()[3], 16) & 0xFFFFFFFF
        return None if value >= 0x80000000 else value
    return None


def shown(data):
    """Return bytes for the eye: repr, shortened in the middle, with the length when it is long."""
    if len(data) <= 60:
        return repr(bytes(data))
    return f"{bytes(data[:24])!r} … {bytes(data[-12:])!r} ({len(data):,} bytes)"
