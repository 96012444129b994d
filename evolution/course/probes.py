"""The probe language of the mystery servers: what one can do to a server, and what one can see of it.

From outside, in the order in which they are written:

    silent N      N clients connect and say nothing, until the probe ends
    ask           one request: is it answered within half a second?
    slow N        N clients ask at once for an answer that takes 0.3 s: how many are answered together?
    kill          SIGKILL to one of its child processes; what becomes of the others?

From inside, as /proc shows it at this moment:

    processes     how many          sleeps        in which calls
    threads       how many          listeners     how many sockets listen on the port

What is seen is a word or a small number, never a time, so that the same server shows the same again.
"""

import contextlib
import http.client
import os
import select
import signal
import socket
import time

from evolution.lab import moves, procfs
from evolution.lab.procfs.tree import walk

PATIENCE = 0.5
"""Seconds that `ask` waits for an answer."""

WORK = 0.3
"""Seconds that the server sleeps for each answer of `slow`."""

MOST = {"silent": 1100, "slow": 16}
"""The largest N of each word."""

PLAIN = ("ask", "kill", "processes", "threads", "sleeps", "listeners")


class Mistake(ValueError):
    """What was written cannot be done. A notebook shows the sentence alone; a program gets an exception."""

    def _render_traceback_(self):
        """IPython's showtraceback asks an exception for its lines; where it was raised is of no help here."""
        return [str(self)]


def parse(words):
    """Return a list of (word, N or None). Raises Mistake with the words that there are."""
    steps = []
    for part in str(words).split(";"):
        word, *rest = part.split() or [""]
        number = int(rest[0]) if len(rest) == 1 and rest[0].isdigit() else None
        if word in MOST and number and number <= MOST[word]:
            steps.append((word, number))
        elif word in PLAIN and not rest:
            steps.append((word, None))
        else:
            known = ", ".join([*(f"{name} N (1 to {most})" for name, most in MOST.items()), *PLAIN])
            raise Mistake(f"expected steps between semicolons, each one of {known}; not {part.strip()!r}")
    return steps


def text(steps):
    """Return the steps as they would be written."""
    return "; ".join(word if number is None else f"{word} {number}" for word, number in steps)


def run(server, steps):
    """Do the steps to a Server; return what was seen, in words."""
    seen = []
    _settle(server)  # it may still be making its workers
    with contextlib.ExitStack() as stack:
        for word, number in steps:
            if word == "silent":
                seen.append(_silent(server, number, stack))
            elif word == "slow":
                seen.append(_slow(server, number))
            else:
                seen.append(_LOOKS[word](server))
    return "; ".join(filter(None, seen))


def _silent(server, count, stack):
    """Connect; wait until the server has done with them what it will, so that the next look is a fact."""
    for _ in range(count):
        with contextlib.suppress(OSError):
            stack.enter_context(moves.call(server, timeout=PATIENCE))
    _settle(server)


def _tree(server):
    """Its processes, sockets not named: cheaper than Server.tree, which reads all of TCP's table."""
    return [process for process, _ in walk(server.pid)]


def _settle(server):
    """Return its processes once all are asleep in a call and nothing has changed in five looks."""
    same, before = 0, None
    end = time.monotonic() + 3.0
    while True:
        tree = _tree(server)
        now = [(each.pid, len(each.descriptors), [t.call for t in each.threads]) for each in tree]
        asleep = all(call for _, _, calls in now for call in calls)
        same = same + 1 if asleep and now == before else 0
        if same == 5 or time.monotonic() > end:
            return tree
        before = now
        time.sleep(0.02)


def _ask(server):
    try:
        answer = moves.ask(server, timeout=PATIENCE)
    except TimeoutError:
        return "no answer"
    except (OSError, http.client.HTTPException):
        return "refused"
    return "answered" if answer.status == 200 else f"answered {answer.status}"


def _slow(server, count):
    """How many of the answers come together with the first one: within half of the work's time."""
    request = b"GET /slow?seconds=%g HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n" % WORK
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(moves.call(server)) for _ in range(count)]
        for client in clients:
            client.sendall(request)
        poller = select.poll()
        for client in clients:
            poller.register(client, select.POLLIN)
        if not poller.poll(3000):
            return "none answered"
        time.sleep(WORK / 2)
        together = len(poller.poll(0))
        for client in clients:  # the rest may leave unserved
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
    return "all together" if together == count else f"{together} together"


def _kill(server):
    """SIGKILL to one child of the main process; what stands afterwards."""
    before = {each.pid for each in _tree(server)} - {server.pid}
    if not before:
        return "no child to kill"
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        alive = {each.pid for each in _tree(server) if each.state != "Z"} - {server.pid}
        if victim not in alive and len(alive) >= len(before):
            return "replaced"
        time.sleep(0.02)
    return "not replaced"


def _processes(server):
    return _many(len(_settle(server)), "process", "processes")


def _threads(server):
    return _many(sum(len(each.threads) for each in _settle(server)), "thread", "threads")


def _sleeps(server):
    calls = {
        thread.call.text.partition("(")[0]
        for each in _settle(server)
        for thread in each.threads
        if thread.call
    }
    return "asleep in " + " and ".join(sorted(calls)) if calls else "running"


def _listeners(server):
    count = sum(row.state == "LISTEN" for row in procfs.tcp(port=server.address.port))
    return _many(count, "listener", "listeners")


def _many(count, one, more):
    return f"{count} {one if count == 1 else more}"


_LOOKS = {
    "ask": _ask,
    "kill": _kill,
    "processes": _processes,
    "threads": _threads,
    "sleeps": _sleeps,
    "listeners": _listeners,
}
