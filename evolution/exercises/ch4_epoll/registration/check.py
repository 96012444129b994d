"""The life of a registration: added, paused, dropped, with copies about, in one batch, in two processes."""

import os
import signal
from contextlib import suppress

from evolution.course.verdict import Crashed, TooSlow, Unrecognised, Wrong
from evolution.exercises.ch4_epoll import seen
from evolution.lab import procfs


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    one, two = bench.together(lambda: one_process(bench), lambda: two_processes(bench))
    return (*one, two)


def one_process(bench):
    with bench.serve() as server:
        witness = greet(bench, server)
        number = dropped(bench, server, witness)
        row = paused(bench, server, witness)
        batch(bench, server, witness)
        copied(bench, server, witness)
    return (
        f"descriptor {number} was closed when its client had left",
        f"a paused client: {row}; that it broke off was reported",
        "a number that went to a new client in the middle of a batch brought it no event of the old one",
        "dropped while a child process held a copy: the row was gone from the interest list",
    )


def greet(bench, server):
    client, word = seen.connect(server), bench.word()
    client.send(word + b"\n")
    expect(client, word)
    return client


def expect(client, *wanted):
    """Hear one of `wanted`; return it."""
    reply = seen.hear(client)
    if reply.text in wanted:
        return reply.text
    server = client.server
    if seen.ended(server, reply):
        raise server.crashed(*client.transcript)
    if reply.text and reply.text.startswith(b"drop raised"):
        after = (b"EBADF", b"Bad file descriptor", b"negative integer", b"-1")
        if any(words in reply.text for words in after):
            raise Wrong("unregister_after_close", *client.transcript, *server.traceback())
        raise Crashed(*client.transcript, *server.traceback())
    if reply.text and b"in vain" in reply.text:
        raise Unrecognised(*client.transcript, "ready() named a socket on which nothing had happened")
    raise Unrecognised(*client.transcript, f"expected {' or '.join(each.decode() for each in wanted)}")


def dropped(bench, server, witness):
    """A client leaves: it is reported, dropped, and its descriptor is closed."""
    client = greet(bench, server)
    fd = seen.descriptor_of(server.pid, client.port)
    witness.note(f"the client at port {client.port} (descriptor {fd}) ends its side")
    client.half_close()
    expect(witness, b"dropped %d" % client.port)
    if not seen.until(lambda: seen.descriptor_of(server.pid, client.port) is None, 1.0):
        kept = f"/proc/PID/fd: {fd} is still the connection from port {client.port}"
        raise Wrong("fd_leak", *witness.transcript, kept)
    client.close()
    return fd


def paused(bench, server, witness):
    """A client is paused, sends, and then breaks off."""
    client = greet(bench, server)
    client.send(b"pause\n")
    expect(client, b"paused")
    fd = seen.descriptor_of(server.pid, client.port)
    client.send(b"are you there?\n")
    reply = witness.hear(0.3, hold=True)
    if reply.text and b"paused" in reply.text:
        raise Wrong("still_reads", *client.transcript, *witness.transcript[-1:])
    if seen.spins(server.pid):
        raise Wrong("still_reads", *client.transcript, "it spins: the input of the paused client is reported for ever")
    row = seen.interests(server.pid).get(fd)
    witness.note(f"the client at port {client.port} (descriptor {fd}) is paused, then it resets")
    client.reset()
    reply = reply if reply.text else seen.hear(witness)
    if reply.text == b"dropped %d" % client.port:
        return seen.row_text(row) if row else "in no interest list"
    if row is None and reply.silent == "asleep":
        fact = f"descriptor {fd} of this client is in no interest list any more"
        raise Wrong("pause_unregisters", *client.transcript, *witness.transcript, fact)
    if seen.ended(server, reply):
        raise server.crashed(*witness.transcript)
    if row and reply.silent in ("asleep", "spinning"):
        raise Wrong("hup_ignored", *client.transcript, *witness.transcript, seen.row_text(row))
    raise Unrecognised(*client.transcript, *witness.transcript, f"expected dropped {client.port}")


def batch(bench, server, witness):
    """Three events in one look: A drops B, a new client gets B's number, and B's own event is still to come."""
    a, b = greet(bench, server), greet(bench, server)
    fd = seen.descriptor_of(server.pid, b.port)
    seen.stop(server)
    witness.note("while the server is stopped (SIGSTOP) three things happen, then it goes on:")
    witness.note(f"A asks it to drop B (port {b.port}, descriptor {fd}); a new client connects; B sends a line")
    a.send(b"drop %d\n" % b.port)
    arrived(server, a)
    new = seen.connect(server)
    b.send(b"is anybody there?\n")
    arrived(server, b)
    server.sandbox.signal(signal.SIGCONT)
    reply = seen.hear(witness)
    if reply.text != b"dropped %d" % b.port:
        lost(server, witness, reply)
        raise Unrecognised(*witness.transcript, f"expected dropped {b.port}")
    number = seen.until(lambda: seen.descriptor_of(server.pid, new.port))
    reply = witness.hear(0.3, hold=True)
    lost(server, witness, reply)
    if reply.text and reply.text.startswith(b"in vain %d:" % new.port):
        fact = f"descriptor {number} is the new client's now, and it has not said a word"
        raise Wrong("stale_event_fd_reuse", *witness.transcript, fact)
    word = bench.word()
    new.send(word + b"\n")
    expect(new, word)
    for client in (a, new):
        client.half_close()
        expect(witness, b"dropped %d" % client.port)
        client.close()
    b.close()


def lost(server, witness, reply):
    """Raise what it means when the server has ended."""
    if seen.ended(server, reply):
        raise server.crashed(*witness.transcript)


def arrived(server, client):
    """Wait until what the client has sent lies in the server's kernel."""
    if not seen.until(lambda: server.unread(client.port)):
        raise TooSlow(*client.transcript, "this has not arrived within 4 s")


def copied(bench, server, witness):
    """A child process holds copies of all descriptors; then a client leaves."""
    client, helper = greet(bench, server), greet(bench, server)
    helper.send(b"copy\n")
    expect(helper, b"copied")
    fd = seen.descriptor_of(server.pid, client.port)
    witness.note(f"a child is forked that holds copies; the client with descriptor {fd} ends its side")
    client.half_close()
    expect(witness, b"dropped %d" % client.port)
    row = seen.interests(server.pid).get(fd)
    if row and seen.descriptor_of(server.pid, client.port) is None:
        fact = f"descriptor {fd} is closed, and yet {seen.row_text(row)}"
        raise Wrong("close_always_removes", *witness.transcript, fact)
    word = bench.word()
    helper.send(word + b"\n")
    expect(helper, word)


def two_processes(bench):
    """Two processes: does each watch its own connections, and only those?"""
    with bench.serve("two") as server:
        pids = seen.until(lambda: (found := [each.pid for each in procfs.tree(server.pid)])[1:] and found)
        client, word = seen.connect(server), bench.word()
        client.send(word + b"\n")
        reply = seen.hear(client)
        sole(server, client, pids or [server.pid])
        if reply.text != word:
            if not server.sandbox.alive:
                raise server.crashed(*client.transcript)
            raise Unrecognised(*client.transcript, f"expected {word.decode()}")
        with suppress(ProcessLookupError):
            for pid in pids[1:]:
                os.kill(pid, signal.SIGTERM)
    return "two processes, two interest lists: a connection is in one of them only"


def sole(server, client, pids):
    """Raise epoll_before_fork when a process watches a connection that only another one holds."""
    if "FileExistsError" in server.sandbox.errors:
        story = ("two processes each add the listener", *server.traceback())
        raise Wrong("epoll_before_fork", *story, "one of them found it in the interest list already")
    holders = {pid: seen.descriptor_of(pid, client.port) for pid in pids}
    for pid, fd in holders.items():
        for other in pids:
            row = seen.interests(other).get(fd) if fd is not None and holders[other] is None else None
            own = {each.fd for found in procfs.tree(other)[:1] for each in found.descriptors}
            if row and fd not in own:
                fact = f"process {pid} holds this client as descriptor {fd}; process {other} does not,"
                raise Wrong("epoll_before_fork", *client.transcript, fact, f"and yet it watches it: {seen.row_text(row)}")
