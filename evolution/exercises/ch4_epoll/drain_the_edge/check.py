"""Edges that come together: many clients at once, many bytes at once, clients that flood, clients that leave."""

import os
import signal
import time
from contextlib import suppress

from evolution.course.bench import shown
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch4_epoll import seen
from evolution.lab import procfs

TURN = 65536
LONG = 200_000
"""Bytes of the long line: more than any one recv of a sensible size takes, less than the kernel keeps."""

FLOOD = 1_500_000
"""Bytes that a client floods with, at most."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        row = edges(bench, server)
        sleeps(server)
        crowd(bench, server)
        long_line(bench, server)
        before = flood(bench, server)
        leaves(bench, server)
        resets(bench, server)
        sleeps(server)
    return (
        row,
        "five clients that came in one moment were all accepted and answered",
        f"a line of {LONG:,} bytes that lay there complete came back complete",
        f"two clients flooded it: the first got {before:,} bytes at most read in one go while the other waited",
        "who left or reset was closed, and with nothing to do the server sleeps in epoll_wait",
    )


def expect(client, wanted):
    """Hear `wanted`, or raise what silence shows."""
    reply = seen.hear(client)
    if reply.text == wanted:
        return
    stuck(client, reply)
    raise Unrecognised(*client.transcript, f"expected {shown(wanted)}")


def stuck(client, reply):
    """Raise what can be seen in /proc about a client that gets no answer."""
    server = client.server
    if seen.ended(server, reply):
        raise server.crashed(*client.transcript)
    if reply.silent != "asleep":
        return
    found = server.process()
    call = found.threads[0].call if found and found.threads else None
    fd = seen.descriptor_of(server.pid, client.port)
    sleeping = call and call.text.split("(")[0]
    if sleeping in ("recv", "accept"):
        raise Wrong("drain_on_blocking_socket", *client.transcript, "whoever else comes waits with this client")
    unread, queue = server.unread(client.port), procfs.listen_queue(server.port)
    if sleeping != "epoll_wait":
        return
    if fd is None and queue and queue.length:
        raise Wrong(
            "et_accept_once",
            *client.transcript,
            f"the accept queue holds {queue.length} clients that nobody has accepted",
        )
    if fd is not None and unread:
        raise Wrong("et_no_drain", *client.transcript, f"{unread:,} bytes of this client lie unread in the kernel")


def edges(bench, server):
    """A polite client; its row in the interest list must ask for edges."""
    word = bench.word()
    client = seen.connect(server)
    client.send(word + b"\n")
    expect(client, word.upper())
    fd = seen.descriptor_of(server.pid, client.port)
    row = seen.until(lambda: seen.interests(server.pid).get(fd), 1.0)
    if row is None:
        raise Unrecognised(*client.transcript, f"descriptor {fd} of this client is in no interest list of epoll")
    if "ET" not in row.events:
        raise Wrong("level_instead", *client.transcript, seen.row_text(row), "the bit of EPOLLET is 80000000")
    client.close()
    return seen.row_text(row)


def crowd(bench, server):
    """Five clients while it stands still: one edge of the listener for all of them."""
    seen.stop(server)
    words = [bench.word() for _ in range(5)]
    clients = [seen.connect(server) for _ in words]
    for client, word in zip(clients, words, strict=True):
        client.note("five clients connect while the server is stopped (SIGSTOP), then it goes on")
        client.send(word + b"\n")
    server.sandbox.signal(signal.SIGCONT)
    for client, word in zip(clients, words, strict=True):
        expect(client, word.upper())
    for client in clients:
        client.close()


def long_line(bench, server):
    """A line longer than one recv, complete in the kernel before it goes on."""
    client, witness = seen.connect(server), seen.connect(server)
    first = bench.word()
    for each in (client, witness):
        each.send(first + b"\n")
        expect(each, first.upper())
    seen.stop(server)
    line = (bench.word() * LONG)[:LONG]
    client.note("the server is stopped (SIGSTOP) while the client sends, then it goes on")
    client.send(b"#" + line + b"\n" + first + b"\n")
    if not seen.until(lambda: (server.unread(client.port) or 0) > LONG):
        raise TooSlow(*client.transcript, "this has not arrived within 4 s")
    server.sandbox.signal(signal.SIGCONT)
    try:
        expect(client, first.upper())
    except Wrong as finding:
        if finding.diagnosis == "et_no_drain":
            cut_short(client, witness)
        raise
    for each in (client, witness):
        each.close()


def cut_short(client, witness):
    """Raise when more than one recv was made of what lay there complete, and then none."""
    unread = client.server.unread(client.port)
    turns = [turn for turn in turns_of(witness) if turn[0] == client.port]
    if len(turns) == 2 and turns[1][2] > 1 and unread:
        fact = f"{turns[1][2]} calls of recv have read {turns[1][1]:,} bytes; {unread:,} bytes lie unread in the kernel"
        raise Wrong("cut_short_and_forgotten", *client.transcript, fact)


def turns_of(witness):
    """Ask on_data in which order it was called; return a list of (port, bytes, pieces)."""
    witness.send(b"order?\n")
    reply = seen.hear(witness)
    if reply.text is None:
        stuck(witness, reply)
    try:
        return [tuple(map(int, turn.split(":"))) for turn in reply.text.decode().split()]
    except (AttributeError, ValueError):
        raise Unrecognised(*witness.transcript, "expected the words of host.py") from None


def flood(bench, server):
    """Two clients have sent as much as fits, a third one line between them: how much is read before the others' turn?

    Whoever is served first, another one waits: so it shows in whatever order the answer goes through them.
    """
    one, polite, two, witness = clients = [seen.connect(server) for _ in range(4)]
    for client in clients:
        word = bench.word()
        client.send(word + b"\n")
        expect(client, word.upper())
    seen.stop(server)
    word = bench.word()
    sent = pour(one)
    polite.send(word + b"\n")
    sent = min(sent, pour(two))
    if sent < 8 * TURN:
        raise TooSlow(f"expected the kernel to take {8 * TURN:,} bytes of a client, it took {sent:,}")
    polite.note(f"two other clients have {sent:,} bytes each on their way; now the server goes on")
    server.sandbox.signal(signal.SIGCONT)
    expect(polite, word.upper())
    ports = {client.port: client for client in (one, polite, two)}
    for _ in range(50):  # until both floods have had a turn
        turns = turns_of(witness)
        begin = next((at for at, turn in enumerate(turns) if turn[0] == witness.port), 0)
        firsts = {turn[0]: at for at, turn in reversed([*enumerate(turns)][begin:]) if turn[0] in ports}
        if len(firsts) == 3:
            break
        time.sleep(0.02)
    else:
        missing = next(client for port, client in ports.items() if port not in firsts)
        raise Unrecognised(*polite.transcript, f"on_data has not heard of the client at port {missing.port}")
    most = 0
    for at in sorted(firsts.values())[1:]:
        port, size, pieces = max(turns[begin:at], key=lambda turn: turn[1])
        most = max(most, size)
        if size > 4 * TURN:
            fact = f"before port {turns[at][0]} had its turn, the server read {size:,} bytes of port {port} in one go"
            if pieces < 3:
                raise Unrecognised(*polite.transcript, fact, f"one recv took more than a turn of {TURN:,} bytes")
            raise Wrong("greedy_drain_starves", *polite.transcript, fact, f"a turn is {TURN:,} bytes")
    for client in clients:
        client.close()
    return most


def pour(client):
    """Send as much as fits, at most FLOOD bytes, in lines that want no answer; return how much."""
    client.sock.setblocking(False)
    sent, piece = 0, b"#" + b"x" * 65534 + b"\n"
    with suppress(BlockingIOError):
        while sent < FLOOD:
            sent += client.sock.send(piece[sent % 65536 :])
    return sent


def leaves(bench, server):
    """The end of a stream is an edge too, and no empty buffer."""
    client, word = seen.connect(server), bench.word()
    client.send(word + b"\n")
    expect(client, word.upper())
    client.half_close()
    reply = seen.hear(client)
    if seen.ended(server, reply):
        raise server.crashed(*client.transcript)
    if reply.silent in ("closes", "resets"):
        client.close()
        return
    fd = seen.descriptor_of(server.pid, client.port)
    if reply.silent == "asleep" and fd is not None:
        kept = f"/proc/PID/fd: {fd} is still this connection, half of it closed (CLOSE_WAIT)"
        raise Wrong("end_is_drained", *client.transcript, kept)
    raise Unrecognised(*client.transcript, "expected the server to close its side too")


def resets(bench, server):
    """One client resets; it must be closed too, and another one still be heard."""
    client, other = seen.connect(server), seen.connect(server)
    word = bench.word()
    for each in (client, other):
        each.send(word + b"\n")
        expect(each, word.upper())
    fd = seen.descriptor_of(server.pid, client.port)
    inode = inode_of(server.pid, fd)
    other.note(f"another client (descriptor {fd}) resets its connection")
    client.reset()
    word = bench.word()
    other.send(word + b"\n")
    expect(other, word.upper())
    if not seen.until(lambda: inode_of(server.pid, fd) != inode, 2.0):
        raise Unrecognised(*other.transcript, f"/proc/PID/fd: {fd} is still open: nobody has closed the connection")
    other.close()


def inode_of(pid, fd):
    """Return what the descriptor leads to, None when it is closed."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return None


def sleeps(server):
    """With nothing to do it must sleep."""
    used = seen.spins(server.pid)
    if not server.sandbox.alive:
        raise server.crashed("all clients have left")
    if used:
        raise Wrong("never_sleeps", "nobody says anything", f"it used {used:.1f} s of processor time, never asleep")
