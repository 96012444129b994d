"""Clients come until their descriptors pass 1,023. Who is served, and who still is?"""

import ast
from contextlib import suppress

from evolution.course.sandbox import Limits
from evolution.course.talk import nap_of
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch3_select.quiet import call, rest, seen, sockets, story, tasks
from evolution.lab import procfs

CLIENTS = 9
"""The first numbers are 1,020 to 1,023, or a few less; then come those past the limit."""

LITTLE = 20
"""Milliseconds: as a time-out for nothing they are too little, whether that was meant or not."""

HELD = 1015
"""Descriptors of the program that were open before serve was called."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve(limits=Limits(files=4096)) as server:
        if others(server) < HELD:
            if not rest(server).asleep:
                raise server.crashed("nobody is connected")
            raise closes_others(server)
        first, clients = call(server), []
        say(bench, server, first, first)
        for _ in range(CLIENTS):
            clients.append(call(server))
            say(bench, server, clients[-1], first)
        if others(server) < HELD:
            raise closes_others(server)
        if tasks(server) > 1:
            raise Unrecognised(f"it has {tasks(server)} processes and threads; one is asked for")
        numbers = [number_of(server, client) for client in (first, *clients)]
        if None in numbers or max(numbers) < 1024:
            raise TooSlow(f"expected clients with descriptors past 1,023 in /proc/{server.pid}/fd, saw {numbers}")
        for client in (first, *clients):
            say(bench, server, client, first)
        idle(server)
        leaves(bench, server, clients[-1], first, numbers[-1])
        resets(bench, server, clients[-2], first)
    return (
        f"{len(numbers)} clients on the descriptors {min(numbers):,} to {max(numbers):,}: each had its echo, twice",
        f"the {HELD:,} descriptors of the rest of the program are still open",
        "while all were idle it was asleep, and so it was after one had left and another had reset",
    )


def others(server):
    found = server.process()
    return sum(each.kind != "socket" for each in found.descriptors) if found else 0


def closes_others(server):
    fact = f"/proc/PID/fd: {others(server)} descriptors that are no sockets; the program had {HELD:,} and more, and needs them"
    return Wrong("closes_others", fact)


def number_of(server, client):
    """Return the descriptor that the server has for this client, None when it has none."""
    rows = procfs.server_sockets(server.port)[0]
    inodes = [row.inode for row in rows if row.remote[1] == client.port and row.inode]
    found = server.process()
    numbers = [each.fd for each in found.descriptors if each.inode in inodes] if found else []
    return numbers[0] if numbers else None


def say(bench, server, client, first):
    word = bench.word()
    client.send(word + b"\n")
    reply = client.hear()
    if reply.text == word:
        return
    lines = (*story(first=first), *client.transcript) if client is not first else client.transcript
    if reply.silent == "ended" or (reply.silent in ("closes", "resets") and server.sandbox.wait(1.0)):
        raise ended(bench, server, lines)
    raise unheard(bench, server, client, first, reply, lines)


def ended(bench, server, lines):
    """The program is over: is it the limit?"""
    found = server.crashed(*lines)
    raised = server.traceback()
    if found.outcome != "crashed":
        return found
    source = bench.answer
    if "setrlimit" in source and ("out of range" in raised[0] or "setrlimit" in raised[-1]):
        return Wrong("raise_ulimit", *found.evidence)
    if raised and "out of range" in raised[0] and counts(source):
        return Wrong("limit_is_a_count", *found.evidence, "there were hardly ten clients")
    return found


def unheard(bench, server, client, first, reply, lines):
    """The client has no echo, and the program goes on: does it still serve the first one?"""
    number = number_of(server, client)
    if client is first or tasks(server) > 1:
        return Unrecognised(*lines, "expected the same words back")
    word = bench.word()
    first.send(word + b"\n")
    served = first.hear()
    lines = (*lines, *(f"first: {line}" for line in first.transcript[-2:]))
    if served.silent and catches(bench.answer):
        return Wrong("swallow_valueerror", *lines)
    if served.text == word and (number is None or number >= 1024):
        fact = f"its descriptor would be {number:,}" if number else "it has no descriptor in the server"
        return Wrong("watch_fewer", *lines, fact, "the first client is served as before")
    return Unrecognised(*lines, "expected the same words back")


def counts(source):
    """Whether the program looks at how many there are: compares a len(), or has a number near the limit."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "len" for each in ast.walk(node)
        ):
            return True
        if isinstance(node, ast.Constant) and type(node.value) is int and 100 <= node.value <= 1030:
            return True
    return False


def catches(source):
    """Whether some handler takes a ValueError."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            names = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else {"Exception"}
            if names & {"ValueError", "Exception", "BaseException"}:
                return True
    return False


def idle(server):
    """All clients are idle: is the server asleep?"""
    found = rest(server)
    if found.asleep:
        return
    naps = {nap_of(server) for _ in range(200)} - {None} if found.kind == "waking" else set()
    if naps and min(naps) > 0 and max(naps) <= LITTLE:
        fact = f"it sleeps in poll with a time-out of {max(naps)} ms"
        raise Wrong("milliseconds", "all clients are idle", found.fact, fact)
    raise restless(server, found, "all clients are idle")


def restless(server, found, *lines):
    """Return what to say of a server that does not sleep while nobody says anything."""
    if found.kind == "ended":
        return server.crashed(*lines)
    finding = Unrecognised(*lines, found.fact, seen(server))
    finding.question = "What does the call return that should sleep here, and what does your loop do with it?"
    return finding


def leaves(bench, server, client, first, number):
    """The client with the highest number leaves; everybody else is served as before."""
    client.half_close()
    reply = client.hear()
    lines = tuple(client.transcript[-3:])
    forgotten = not tells_poll(bench.answer)
    if reply.silent not in ("closes", "resets"):
        raise Unrecognised(*lines, "expected that it closes this connection")
    found = rest(server)
    if found.kind == "ended":
        ending = server.crashed(*lines)
        if forgotten and ending.outcome == "crashed" and f"KeyError: {number}" in server.traceback()[:1]:
            raise Wrong("never_unregistered", *ending.evidence, f"{number:,} was the descriptor of the client that has left")
        raise ending
    if not found.asleep:
        if forgotten and sockets(server) <= CLIENTS + 1:  # the listener, and those who are still there
            fact = f"its descriptor, {number:,}, is closed, and the server does not sleep any more: {found.fact}"
            raise Wrong("never_unregistered", *lines, fact, seen(server))
        raise restless(server, found, *lines)
    say(bench, server, first, first)


def resets(bench, server, client, first):
    """A client resets: poll tells of it in other bits as well."""
    before = sockets(server)
    client.settle()
    client.reset()
    lines = tuple(client.transcript[-1:])
    found = rest(server)
    if found.kind == "ended":
        raise server.crashed(*lines)
    if not found.asleep:
        if found.kind == "spinning" and sockets(server) == before and compares_event(bench.answer):
            fact = "its socket is still open, and the server does not sleep any more"
            raise Wrong("only_pollin", *lines, fact, found.fact, seen(server))
        raise restless(server, found, *lines)
    say(bench, server, first, first)
    if sockets(server) >= before:
        raise Unrecognised(*lines, f"{sockets(server)} sockets are open, as many as before; expected that it closes this connection")


def tells_poll(source):
    """Whether a closed descriptor is no affair of this program: it tells poll, or does not use it by itself."""
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    names |= {each.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) for each in node.names}
    return "poll" not in names or bool(names & {"unregister", "epoll"})


def compares_event(source):
    """Whether the program asks if what has happened *is* POLLIN, or is 1."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) for op in node.ops):
            for each in (node.left, *node.comparators):
                with suppress(AttributeError):
                    if getattr(each, "attr", getattr(each, "id", "")) in ("POLLIN", "EPOLLIN", "EVENT_READ") or each.value == 1:
                        return True
    return False
