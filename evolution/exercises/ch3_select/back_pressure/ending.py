"""A client ends its side while bytes of it are left over with the server: are they delivered?"""

import fcntl
import select
import socket
import sys
import termios
import time

from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch3_select.quiet import call, rest, seen
from evolution.lab import procfs

STEP = 16_384
MOST = 1 << 20
"""Bytes to write at most: a server that keeps about LIMIT has long stopped reading then."""

ENOUGH = 65_536
"""Bytes that were read by the server and are not in the kernel: so they are left over with it."""

SMALL = 65_536
"""Bytes of the client's own buffer for what comes; with far fewer TCP itself pauses between packets."""

PATIENCE = 8.0


def ends(server, echo):
    """Raises a Finding. `echo()` lets somebody else speak while the client has ended its side and does not read."""
    client = call(server)
    sock = client.sock
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    sock.setblocking(False)
    want, sent, left = b"".join(b"%07d\n" % number for number in range(MOST // 8)), 0, 0
    while sent < MOST and left < ENOUGH:
        if not select.select([], [sock], [], 0.2)[1]:
            break
        sent += sock.send(want[sent : sent + STEP])
        if not all_read(server, client):
            break
        left = left_over(server, client, sent)
    client.note(f"it writes {sent:,} bytes and reads none; {left:,} of them are left over with the server")
    want, left = want[:sent], left_over(server, client, sent)
    client.half_close()
    found = rest(server)
    if found.kind == "ended":
        raise server.crashed(*client.transcript)
    if not found.asleep:
        raise Unrecognised(*client.transcript, found.fact, seen(server))
    echo()
    got, ending = read_all(server, client)
    client.note(f"now it reads: {len(got):,} bytes come back, and {ending}")
    if got == want and ending == "the end":
        return f"a client ended its side while {left:,} bytes were left over: it had them all, and then the end"
    if len(got) < len(want) and want.startswith(got) and ending != "no end" and left > 0:
        raise Wrong("forgets_the_rest", *client.transcript, f"{len(want) - len(got):,} bytes are missing")
    raise Unrecognised(*client.transcript, "expected all of them, in order, and then the end")


def all_read(server, client):
    """Wait a moment for the server to read everything; return whether it has."""
    end = time.monotonic() + 0.3
    while on_the_way(server, client):
        if time.monotonic() > end and rest(server).asleep:
            return not on_the_way(server, client)
        time.sleep(0.002)
    return True


def on_the_way(server, client):
    """Bytes that the client has written and the server has not read."""
    here = int.from_bytes(fcntl.ioctl(client.sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    return here + (server.unread(client.port) or 0)


def left_over(server, client, sent):
    """Return how many bytes the server has read and not handed to the kernel: the least that it can be."""
    found = procfs.connection(server.port, client.port)
    if found is None:
        return 0
    here = int.from_bytes(fcntl.ioctl(client.sock, termios.FIONREAD, bytes(4)), sys.byteorder)
    return max(0, sent - on_the_way(server, client) - found.tx - here)


def under_way(server, client):
    """Whether the kernel still has something to deliver, in one direction or the other."""
    found = procfs.connection(server.port, client.port)
    return bool(found and found.tx) or bool(on_the_way(server, client))


def read_all(server, client):
    """Return all that comes, and how it ends: "the end", "a reset", or "no end"."""
    sock, got, end = client.sock, [], time.monotonic() + PATIENCE
    while True:
        if select.select([sock], [], [], 0.3)[0]:
            try:
                data = sock.recv(65536)
            except OSError:
                return b"".join(got), "a reset"
            if not data:
                return b"".join(got), "the end"
            got.append(data)
        elif not under_way(server, client) and rest(server).asleep and not select.select([sock], [], [], 0)[0]:
            return b"".join(got), "no end"
        if time.monotonic() > end:
            raise TooSlow(f"in {PATIENCE:g} s its bytes had not all come back")
