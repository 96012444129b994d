"""An echo server of many clients: it rests, it serves all, it survives every end of a connection."""

import signal

from evolution.course.verdict import Crashed, Unrecognised, Wrong
from evolution.exercises.ch3_select.quiet import call, rest, seen, sockets, story, tasks


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        nobody(server)
        a = call(server)
        b, c = silent_in_front(bench, server, a)
        idle(server)
        leaves(bench, server, a, b, c)
        resets(bench, server, a)
        together(bench, server, a)
    return (
        "with nobody there, and with idle clients, it was asleep",
        "three clients spoke in turn, behind one who was silent: each had its own words back",
        "a client ended its side, another reset: both were closed, the others were served",
        "three left and one spoke in the same moment: three closed, one echo",
    )


def nobody(server):
    found = rest(server)
    if found.kind == "spinning":
        raise Wrong("timeout_zero_spin", "nobody is connected", found.fact, seen(server))
    if found.kind == "waking":
        raise Wrong("polls_by_clock", "nobody is connected", found.fact)
    if found.kind == "ended":
        raise server.crashed("nobody is connected")


def say(bench, server, client, *lines, **others):
    """The client says a word and must have it back."""
    word = bench.word()
    client.send(word + b"\n")
    reply = client.hear()
    if reply.text == word:
        return
    lines = (*lines, *story(**others), *client.transcript[-3:])
    if reply.silent == "ended" or (reply.silent in ("closes", "resets") and server.sandbox.wait(1.0)):
        raise ended(server, *lines)
    if reply.silent and tasks(server) > 1:
        raise Unrecognised(*lines, f"it has {tasks(server)} processes and threads; one is asked for")
    raise Silent(lines, reply)


class Silent(Unrecognised):
    """Something else than the echo; the caller may know why."""

    def __init__(self, lines, reply):
        super().__init__(*lines, "expected the same words back")
        self.reply = reply


def ended(server, *lines):
    """Return the Finding for a program that is over: what it raised has a name, or not."""
    raised = " ".join(server.traceback()[:1])
    found = server.crashed(*lines)
    if not isinstance(found, Crashed):
        return found
    if "changed size during iteration" in raised or "mutated during iteration" in raised:
        return Wrong("mutates_while_iterating", *found.evidence)
    if "negative integer" in raised or "Invalid file" in raised or "already registered" in raised or "Bad file descriptor" in raised:
        return Wrong("closed_socket_in_list", *found.evidence)
    if raised.startswith(("ConnectionResetError", "BrokenPipeError")):
        return Wrong("one_reset_kills_server", *found.evidence)
    return found


def silent_in_front(bench, server, a):
    """A is connected and silent; B and C speak. Then A speaks as well."""
    a.note("A connects and is silent")
    b, c = call(server), call(server)
    try:
        say(bench, server, b, A=a)
        say(bench, server, c, A=a)
    except Silent as found:
        if found.reply.silent == "asleep" and "recv(" in found.reply.doing:
            raise Wrong("one_at_a_time", *found.evidence) from None
        raise
    if tasks(server) > 1:
        fact = f"three clients are connected, and there are {tasks(server)} processes and threads"
        raise Wrong("thread_per_client", fact)
    for client in (a, b, c, b):
        say(bench, server, client)
    return b, c


def idle(server):
    found = rest(server)
    if found.kind == "spinning":
        raise Wrong("always_writable_spin", "the clients are connected and say nothing", found.fact, seen(server))
    if found.kind == "waking":
        raise Wrong("polls_by_clock", "the clients are connected and say nothing", found.fact)
    if found.kind == "ended":
        raise ended(server, "the clients are connected and say nothing")


def gone(server, client, others=0):
    """The client ends its side and must see the end; `others` stay connected."""
    client.half_close()
    reply = client.hear()
    lines = client.transcript[-4:]
    if reply.silent in ("closes", "resets"):
        client.close()
        return
    if reply.silent == "ended":
        raise ended(server, *lines)
    if reply.silent == "spinning":
        raise Wrong("eof_ignored", *lines, "the end of the stream makes a socket readable, for ever")
    if reply.silent == "asleep" and sockets(server) > others + 1:
        fact = f"it has {sockets(server)} sockets open; there are {others + 1} for the listener and who is still there"
        raise Wrong("never_closes", *lines, fact)
    raise Unrecognised(*lines, "expected that it closes this connection")


def settled(bench, server, a, before, what, client):
    """After somebody has left: A is served, the server rests, and the socket is given back."""
    try:
        say(bench, server, a, *(f"{what}: {line}" for line in client.transcript[-2:]))
    except Silent as found:
        if found.reply.silent == "spinning":
            raise Wrong("closed_socket_in_list", *found.evidence) from None
        raise
    found = rest(server)
    lines = (*client.transcript[-2:], f"{what}: {found.fact}")
    if found.kind == "ended":
        raise ended(server, *lines)
    if found.kind == "spinning":
        if sockets(server) > before:
            raise Wrong("eof_ignored", *lines)
        raise Wrong("closed_socket_in_list", *lines, "its socket is closed, and the loop still asks about it")
    if found.asleep and sockets(server) > before:
        raise Wrong("never_closes", *lines, f"{sockets(server)} sockets are open, {before} were open before it came")


def leaves(bench, server, a, b, c):
    before = sockets(server)
    for client, others in ((b, 2), (c, 1)):
        gone(server, client, others)
        settled(bench, server, a, before - 3 + others, "a client has left", client)


def resets(bench, server, a):
    before = sockets(server)
    d = call(server)
    say(bench, server, d)
    d.settle()
    d.reset()
    settled(bench, server, a, before, "a client has reset", d)


def together(bench, server, a):
    """The server stands still while four things happen, and then finds them all at once."""
    before = sockets(server)
    first, second, speaker, third = (call(server) for _ in range(4))
    for client in (first, second, speaker, third):
        say(bench, server, client)
    speaker.settle()
    server.sandbox.signal(signal.SIGSTOP)
    word = bench.word()
    for client in (first, second, third):
        client.half_close()
    speaker.send(word + b"\n")
    server.sandbox.signal(signal.SIGCONT)
    heard = [speaker.hear(), *(client.hear() for client in (first, second, third))]
    lines = ("in the same moment three clients leave and one speaks", *speaker.transcript[-2:])
    if any(reply.silent == "ended" for reply in heard) or (heard[0].silent and server.sandbox.wait(1.0)):
        raise ended(server, *lines)
    if heard[0].text != word or any(reply.silent not in ("closes", "resets") for reply in heard[1:]):
        raise Unrecognised(*lines, *first.transcript[-2:], *second.transcript[-2:], *third.transcript[-2:])
    speaker.half_close()
    speaker.hear()
    settled(bench, server, a, before, "all four have left", speaker)
