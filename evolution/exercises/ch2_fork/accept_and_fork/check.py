"""Two clients at once, one that leaves, one that resets; and who holds which descriptor meanwhile."""

import re

from evolution.course.bench_processes import Family, call_of
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

PATIENCE = 4.0
"""Seconds for what should happen at once."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        family = Family(server)
        first, first_pid = greeted(server, family)
        second, second_pid = greeted(server, family)
        keeps = second_pid in family.holders()
        leaves(server, family, second, second_pid)
        if journal := written(server):
            if door_shut(words := server.traceback()):
                raise Wrong("child_falls_through", *second.transcript, *words)
            raise Wrong("sys_exit_flushes_twice", *second.transcript, *journal)
        first.reset()
        over(server, family, first, first_pid, left=False)
        if journal := written(server):
            raise Wrong("exception_passes_exit", *first.transcript, *server.traceback(), *journal)
        third, third_pid = greeted(server, family)
        if keeps:
            story = f"/proc/{second_pid}/fd: process {second_pid}, which talked to one client, held the listener as well"
            raise Wrong("child_keeps_listener", story)
        return (
            f"two clients at once, talked to by processes {first_pid} and {second_pid}",
            "the client that left was told so: nobody else held its connection",
            "after a client that left and one that reset, their processes were gone and nothing was written twice",
            f"the next client was talked to by process {third_pid}",
        )


def greeted(server, family):
    """Connect and return (client, pid of the process that talks to it). Raises what it shows otherwise."""
    client = family.connect()
    reply = family.hear(client)
    found = re.fullmatch(rb"process (\d+)", reply.text or b"")
    if found and int(found[1]) != server.pid:
        return client, int(found[1])
    if found and family.states():
        story = (f"process {server.pid} accepts, and talks as well", *family.lines()[1:])
        raise Wrong("parent_talks", *client.transcript, *story)
    if found:
        raise Unrecognised(*client.transcript, "expected a process of its own to talk, not the one that accepts")
    if not server.sandbox.alive or reply.silent == "ended":
        raise broke_down(server, client)
    if reply.silent in ("closes", "resets"):
        closed = lambda: "talk was given a closed" in server.sandbox.output  # noqa: E731
        if server.sandbox.until(closed, 0.5) and closed():
            raise Wrong("closed_before_fork", *client.transcript, "talk(conn) was called with a connection closed already")
        if server.sandbox.wait(0.5):
            raise broke_down(server, client)
        words = server.traceback()
        raise Unrecognised(*client.transcript, *words, "expected the words of talk(conn)")
    main = server.process()
    if main and call_of(main) == "wait" and family.rests(server.pid):
        raise Wrong("fork_then_wait", *client.transcript, f"the server is {server.where()}", *family.lines()[1:])
    if family.rests(server.pid):
        raise Unrecognised(*client.transcript, *family.lines(), "expected a process that talks to this client")
    raise TooSlow(*client.transcript, *family.lines())


def broke_down(server, client):
    """Return what to raise when the program has ended: its last exception may name the reason."""
    words = server.traceback()
    if door_shut(words):
        return Wrong("closes_the_door", *client.transcript, *words)
    return server.crashed(*client.transcript)


def door_shut(words):
    """Return whether a traceback tells of accept on a listener that is closed."""
    return "Bad file descriptor" in "".join(words) and ".accept(" in "".join(words)


def leaves(server, family, client, pid):
    """The client ends its side: its process ends, and then the connection does."""
    client.half_close()
    over(server, family, client, pid, left=True)
    reply = client.hear(0.5, hold=True)
    if reply.silent in ("closes", "resets"):
        return
    holders = family.holders(client.port)
    story = (*client.transcript, f"process {pid} has ended, and the client is not told")
    if server.pid in holders:
        raise Wrong("parent_keeps_fd", *story, f"/proc/{server.pid}/fd: the server still holds this connection")
    raise Unrecognised(*story, f"held by processes {holders}")


def over(server, family, client, pid, left):
    """Wait until the process that talked has ended: its client has `left`, or reset. Raises what it does instead."""
    if family.until(lambda: ended(pid), 0.3):
        return
    call = call_of(procfs.process(pid) or procfs.process(server.pid))
    if family.rests(pid):
        story = (*client.transcript, *family.lines(), f"process {pid} has finished talking, and is asleep in {call}")
        if not call.startswith("accept"):
            raise Unrecognised(*story)
        raise Wrong("child_falls_through" if left else "exception_passes_exit", *story)
    if not family.until(lambda: ended(pid), PATIENCE):
        raise TooSlow(*client.transcript, *family.lines())


def ended(pid):
    found = procfs.process(pid)
    return found is None or found.state in "ZX"


def written(server):
    """Return evidence when the journal was written although the server still runs."""
    text = (server.sandbox.scratch / "journal.txt").read_text()
    if not text:
        return []
    return [f"the server's file journal.txt holds {text!r}: that was in a buffer, and a child has written it out as it left"]
