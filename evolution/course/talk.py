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

from evolution.course.verdict import TooSlow

DEADLINE = 4.0
"""Seconds for one answer, whatever happens."""

STILL = 0.25
"""Seconds of sleep in one place, with nothing happening, after which nothing will."""

NAP = 2.5
"""Seconds granted to a process that sleeps with a time-out of its own, so may wake by itself."""

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


class Client:
    """One connection to the answer, with a transcript of what was said on it."""

    def __init__(self, server):
        self.server = server
        self.transcript = []
        self._unread = b""
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
        self.port = self.sock.getsockname()[1]

    def note(self, line):
        self.transcript.append(line)

    def send(self, data):
        """Send all of it at once; a peer that does not read it makes this TooSlow at last."""
        self.note(f"client sends {shown(data)}")
        try:
            self.sock.sendall(data)
        except TimeoutError:
            self.note("the server does not read it")
        except OSError as error:
            self.note(f"that failed: {error.strerror}")

    def half_close(self):
        """Say that nothing more will come: the server's recv returns b"" (shutdown(2))."""
        self.note("client ends its side: recv returns b'' from now on")
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """End the connection with RST: SO_LINGER with 0 seconds (socket(7))."""
        self.note("client resets the connection")
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def hear(self, patience=DEADLINE, hold=False):
        """Wait for one line of reply. With `hold`, silence is what is hoped for: keep to it for `patience`.

        Raises TooSlow when neither an answer nor a reason for silence can be seen.
        """
        begin = time.monotonic()
        watch = Watch(self.server, self.port)
        while True:
            if b"\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\n")
                words = line.decode(errors="backslashreplace")
                self.note(f"server: {words if len(words) <= 160 else words[:120] + ' … ' + words[-30:]}")
                return Reply(line, after=time.monotonic() - begin)
            if select.select([self.sock], [], [], 0.02)[0]:
                ended = self._receive()
                if ended:
                    self.note(f"server {ended} the connection")
                    return Reply(None, ended, after=time.monotonic() - begin)
                continue
            waited = time.monotonic() - begin
            if hold and waited > patience:
                return Reply(None, "held", after=waited)
            silent = watch.verdict(waited)
            if silent and not (hold and silent == "asleep"):
                doing = self.server.where()
                self.note(
                    f"nothing comes: the server is {doing}"
                    if silent != "ended"
                    else f"nothing comes: {doing}"
                )
                return Reply(None, silent, doing, waited)
            if waited > patience:
                raise TooSlow(
                    *self.transcript, f"no answer within {patience:g} s, and no reason to be seen for it"
                )

    def _receive(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            return "resets"
        except OSError as error:
            return f"lost ({error.strerror})"
        self._unread = (self._unread + data)[-(2**21) :]
        return None if data else "closes"

    def settle(self, seconds=DEADLINE):
        """Wait until the server has read everything and sleeps (True), or has something to say (False).

        Everything has arrived when nothing is unacknowledged here (SIOCOUTQ, tcp(7)), and is read when none
        of it is queued there. A server that then sleeps wants more. Raises TooSlow after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._has_something():
                return False
            found = self.server.process()
            if found is None or found.state in "ZX":
                return False
            arrived = not int.from_bytes(fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
            if arrived and found.state == "S" and self.server.unread(self.port) == 0 and self._still_asleep():
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
        found = server.process()
        self.cpu_before = found.cpu_ns if found else 0
        self.last, self.since = None, 0.0

    def verdict(self, waited):
        """Return "asleep", "spinning", "ended" or None for "wait on"."""
        found = self.server.process()
        if found is None or found.state in "ZX":
            return "ended"
        if found.cpu_ns - self.cpu_before > CHEW * 1e9:
            return "spinning"
        thread = found.threads[0] if found.threads else None
        call = thread.call.text if thread and thread.call else None
        now = (found.state, call, found.voluntary, self.server.unread(self.port))
        if found.state != "S" or now != self.last:
            self.last, self.since = now, waited
            return None
        may_wake = call is None or call.split("(")[0] in ("poll", "select", "epoll_wait", "sleep", "futex")
        return "asleep" if waited - self.since > (NAP if may_wake else STILL) else None


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
