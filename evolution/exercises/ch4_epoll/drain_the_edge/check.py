"""Edges that come together: many clients at once, many bytes at once, a client that floods, a client that leaves."""

import signal

from evolution.course.bench import shown
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch4_epoll import seen
from evolution.lab import procfs

TURN = 65536
LONG = 200_000
"""Bytes of the long line: more than any one recv of a sensible size takes, less than the kernel keeps."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        row = edges(bench, server)
        sleeps(server)
        crowd(bench, server)
        long_line(bench, server)
        before = flood(bench, server)
        leaves(bench, server)
        sleeps(server)
    return (
        row,
        "five clients that came in one moment were all accepted and answered",
        f"a line of {LONG:,} bytes that lay there complete came back complete",
        f"beside a client that floods, the next one was heard after {before:,} bytes of the flood",
        "a client that left was closed, and with nothing to do the server sleeps in epoll_wait",
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
    client = seen.connect(server)
    first = bench.word()
    client.send(first + b"\n")
    expect(client, first.upper())
    seen.stop(server)
    line = (bench.word() * LONG)[:LONG]
    client.note("the server is stopped (SIGSTOP) while the client sends, then it goes on")
    client.send(b"#" + line + b"\n" + first + b"\n")
    server.sandbox.signal(signal.SIGCONT)
    expect(client, first.upper())
    client.close()


def flood(bench, server):
    """One client has sent as much as fits, another one line. How much of the flood comes before the line?"""
    noisy, polite, witness = (seen.connect(server) for _ in range(3))
    for client in (noisy, polite, witness):
        word = bench.word()
        client.send(word + b"\n")
        expect(client, word.upper())
    seen.stop(server)
    noisy.sock.setblocking(False)
    sent = 0
    piece = b"#" + b"x" * 65534 + b"\n"
    try:
        while sent < 4_000_000:
            sent += noisy.sock.send(piece[sent % 65536 :])
    except BlockingIOError:
        pass
    if sent < 8 * TURN:
        raise TooSlow(f"expected the kernel to take {8 * TURN:,} bytes of a client, it took {sent:,}")
    word = bench.word()
    polite.note(f"another client has {sent:,} bytes on their way; now the server goes on")
    polite.send(word + b"\n")
    server.sandbox.signal(signal.SIGCONT)
    expect(polite, word.upper())
    witness.send(b"order?\n")
    reply = seen.hear(witness)
    if reply.text is None:
        stuck(witness, reply)
        raise Unrecognised(*witness.transcript, "expected the words of host.py")
    try:
        turns = [tuple(map(int, turn.split(":"))) for turn in reply.text.decode().split()]
    except ValueError:
        raise Unrecognised(*witness.transcript, "expected the words of host.py") from None
    ports = [turn[0] for turn in turns]
    if polite.port not in ports:
        raise Unrecognised(*polite.transcript, "on_data has not heard of this client")
    last = len(ports) - 1 - ports[::-1].index(polite.port)
    before = turns[last - 1][1] if last and turns[last - 1][0] == noisy.port else 0
    if before > 4 * TURN:
        polite.note(f"before its line was read, the server read {before:,} bytes of the other client in one go")
        if turns[last - 1][2] < 3:
            raise Unrecognised(*polite.transcript, f"one recv took more than a turn of {TURN:,} bytes")
        raise Wrong("greedy_drain_starves", *polite.transcript, f"a turn is {TURN:,} bytes")
    for client in (noisy, polite, witness):
        client.close()
    return before


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


def sleeps(server):
    """With nothing to do it must sleep."""
    used = seen.spins(server.pid)
    if not server.sandbox.alive:
        raise server.crashed("all clients have left")
    if used:
        raise Wrong("never_sleeps", "nobody says anything", f"it used {used:.1f} s of processor time, never asleep")
