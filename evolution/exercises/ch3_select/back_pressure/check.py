"""A client that writes and does not read: where do its bytes go, and who waits meanwhile?"""

import ast
import fcntl
import select
import socket
import sys
import termios
import time
from contextlib import suppress

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch3_select.back_pressure.ending import ends
from evolution.exercises.ch3_select.quiet import call, rest, seen, story, tasks
from evolution.lab import procfs

LIMIT = 262_144
MUCH = 4 << 20
"""Bytes that the client has to give; the kernel's buffers here hold a tenth of that."""

TOO_MUCH = 2 << 20
"""Bytes read by the server while nothing could be sent back: far over LIMIT and the kernel's buffers."""

SIP, SIPS = 40_000, 12
"""Bytes of one sip, and how many: all together more than the kernel's buffer for sending holds."""

PATIENCE = 8.0


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        b = call(server)
        echo(bench, server, b)
        idle(server)
        a = Writer(server)
        a.push()
        stalled = rest(server)
        word, reply, served = while_full(bench, server, a, b)
        if served:
            a.sip()
            word, reply, served = while_full(bench, server, a, b)
        a.drain()
        if tasks(server) > 1:
            raise Unrecognised(f"two clients are connected, and there are {tasks(server)} processes and threads; one is asked for")
        judge(bench, server, a, b, word, reply, served)
        if a.taken > TOO_MUCH:
            fact = f"{a.taken:,} bytes were read while none could be sent: far more than LIMIT, {LIMIT:,}, and the kernel's buffers"
            raise Wrong("unbounded_buffer", *a.client.transcript, fact)
        if stalled.kind == "spinning":
            raise Wrong("spins_when_full", *a.client.transcript[:3], stalled.fact)
        if stalled.kind == "waking":
            raise Unrecognised(*a.client.transcript[:3], stalled.fact)
        afterwards(bench, server, a)
        ended = ends(server, lambda: echo(bench, server, b))
    return (
        f"a client wrote and did not read: after {a.taken:,} bytes the server took no more, and slept",
        "meanwhile another client had its echo",
        f"then it read: {len(a.got):,} bytes, each of them its own, in order",
        "after that it could speak again",
        ended,
    )


class Writer:
    """A client that writes numbered records and reads nothing until it is told to."""

    def __init__(self, server):
        self.server = server
        self.client = call(server)
        self.sock = self.client.sock
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.sock.setsockopt(socket.SOL_SOCKET, option, 131072)
        self.want = b"".join(b"%07d\n" % number for number in range(MUCH // 8))
        self.sent, self.taken, self.unread, self.got, self.ending = 0, 0, 0, b"", ""

    def push(self):
        """Write until the server takes no more, has taken everything, or is over."""
        self.sock.setblocking(False)
        end = time.monotonic() + PATIENCE
        while self.sent < len(self.want) and not self.ending:
            try:
                self.sent += self.sock.send(self.want[self.sent : self.sent + 65536])
                continue
            except BlockingIOError:
                pass
            except OSError as error:
                self.ending = error.strerror
                break
            if not select.select([], [self.sock], [], 0.2)[1] and not self._moves():
                break
            if time.monotonic() > end:
                raise TooSlow(f"in {PATIENCE:g} s one could not tell whether the server still reads")
        if not self.ending:
            self.taken = self.sent - self._on_the_way()
        self.client.note(f"it writes {self.sent:,} bytes and reads none; the server has read {self.taken:,} of them")
        if self.ending:
            self.client.note(f"its connection ends: {self.ending}")

    def _moves(self):
        """Whether the server may still take some: it works, and it has not spun for long without taking any."""
        before = self._on_the_way()
        found = rest(self.server)
        return self._on_the_way() != before and found.kind != "ended"

    def _on_the_way(self):
        """Bytes that were sent and not read: in our kernel's buffer, and in the server's."""
        here = int.from_bytes(fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        return here + (self.server.unread(self.client.port) or 0)

    def sip(self):
        """Read a little, again and again: there is some room each time, and less than the server has to send."""
        with suppress(OSError):
            for _ in range(SIPS):
                if not select.select([self.sock], [], [], 0.2)[0]:
                    return
                data = self.sock.recv(SIP)
                self.got += data
                if not data or self._stuck():
                    return
                with suppress(BlockingIOError):  # it stays as full as it was
                    self.sent += self.sock.send(self.want[self.sent : self.sent + SIP])

    def _stuck(self):
        """Wait until the server sleeps; return whether that is in send, so that it waits for us."""
        end, since, before = time.monotonic() + 1.0, None, self.server.process()
        while time.monotonic() < end:
            found = self.server.process()
            if found and before and found.cpu_ns - before.cpu_ns > 5e7:
                return False  # it spins: no need to wait for its sleep
            call = found.threads[0].call if found and found.threads else None
            if found and found.state == "S" and call:
                since = since or time.monotonic()
                if not call.text.startswith("send(") or time.monotonic() - since > 0.2:
                    return call.text.startswith("send(")
            time.sleep(0.01)
        return False

    def _under_way(self):
        """Whether the kernel still has bytes for us that the server has sent."""
        rows = procfs.server_sockets(self.server.port)[0]
        return any(row.tx for row in rows if row.remote[1] == self.client.port)

    def drain(self):
        """Read until everything is back, or nothing comes any more."""
        parts, size, quiet = [self.got], len(self.got), 0
        end = time.monotonic() + PATIENCE
        with suppress(OSError):
            while size < self.sent:
                if select.select([self.sock], [], [], 0.1)[0]:
                    data = self.sock.recv(1 << 20)
                    if not data:
                        self.ending = self.ending or "the server closes it"
                        break
                    parts.append(data)
                    size, quiet = size + len(data), 0
                    continue
                if not self._under_way():
                    quiet += rest(self.server).kind != "waking"
                if quiet == 2 or not self.server.sandbox.alive:
                    break
                if time.monotonic() > end:
                    raise TooSlow(f"in {PATIENCE:g} s it had {size:,} of {self.sent:,} bytes back")
        self.got, self.want = b"".join(parts), self.want[: self.sent]
        if not self.ending:
            self.unread = self._on_the_way()
        self.client.note(f"now it reads: {len(self.got):,} bytes come back, {self.sent:,} were sent")
        self.sock.settimeout(PATIENCE)


def echo(bench, server, client):
    word = bench.word()
    client.send(word + b"\n")
    reply = client.hear()
    if reply.text == word:
        return
    if reply.silent == "ended" or (reply.silent in ("closes", "resets") and server.sandbox.wait(1.0)):
        raise server.crashed(*client.transcript)
    raise Unrecognised(*client.transcript[-3:], "expected the same words back")


def idle(server):
    found = rest(server)
    if found.kind == "spinning":
        raise Wrong("always_writable_spin", "a client is connected, has its echo, and says nothing", found.fact, seen(server))
    if found.kind == "ended":
        raise server.crashed("a client is connected, has its echo, and says nothing")
    if not found.asleep:
        raise Unrecognised("a client is connected, has its echo, and says nothing", found.fact)


def while_full(bench, server, a, b):
    """B speaks while A is full. Return its word, the reply, and whether it was the echo."""
    word = bench.word()
    b.send(word + b"\n")
    reply = b.hear()
    if reply.silent == "ended" or (reply.silent in ("closes", "resets") and server.sandbox.wait(1.0)):
        raise broken(bench, server, a)
    if reply.silent == "asleep" and "send(" in reply.doing:
        raise Wrong("accepted_socket_blocking", *story(A=a.client), *(f"B: {line}" for line in b.transcript[-2:]))
    return word, reply, reply.text == word


def broken(bench, server, a):
    """The program is over."""
    found = server.crashed(*story(A=a.client))
    if uses(bench.answer)[0] and found.outcome == "crashed" and "BlockingIOError" in " ".join(server.traceback()[:1]):
        line = server.traceback()[-1]
        if "sendall" in line:
            return Wrong("sendall_on_nonblocking", *found.evidence)
    return found


def judge(bench, server, a, b, word, reply, served):
    """What became of the bytes, A's and B's?"""
    if not server.sandbox.alive:
        raise broken(bench, server, a)
    lines = (*story(A=a.client), *(f"B: {line}" for line in b.transcript[-2:]))
    sendall, send = uses(bench.answer)
    strange = reply.text is not None and not served
    if word in a.got or (strange and b"%s\n" % reply.text in a.want):
        raise Wrong("buffer_shared_between_clients", *lines, "one client has what the other said")
    if a.got != a.want:
        if a.unread and len(a.got) + a.unread == len(a.want) and a.want.startswith(a.got):
            raise Wrong("stays_deaf", *lines, f"{a.unread:,} bytes lie in the kernel, and it does not read them")
        missing = f"{len(a.want) - len(a.got):,} bytes are missing"
        if sendall and not send:
            raise Wrong("sendall_on_nonblocking", *lines, missing)
        if send and not sendall and len(a.got) < len(a.want) and not a.ending:
            raise Wrong("short_send_ignored", *lines, missing)
        raise Unrecognised(*lines, missing)
    if served:
        return
    later = b.hear()
    if reply.silent == "asleep" and later.text == word and tasks(server) == 1:
        raise Wrong("waits_for_one", *lines, "B had its echo when A had read everything, and not before")
    raise Unrecognised(*lines, "expected that B has its echo while A does not read")


def uses(source):
    """Return whether the answer calls sendall, and whether it calls send."""
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return "sendall" in names, "send" in names


def afterwards(bench, server, a):
    word = bench.word()
    a.client.send(word + b"\n")
    reply = a.client.hear()
    if reply.text == word:
        return
    if reply.silent == "asleep" and server.unread(a.client.port):
        raise Wrong("stays_deaf", *a.client.transcript, f"{server.unread(a.client.port)} bytes lie there unread")
    if reply.silent == "ended":
        raise server.crashed(*a.client.transcript)
    raise Unrecognised(*a.client.transcript, "expected the same words back")
