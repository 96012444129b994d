"""What the checks of this chapter do to a master with its reactors, and what they see; nothing is judged."""

import json
import re
import select
import signal
import time
from contextlib import contextmanager, suppress

from evolution.course.limits import Limits
from evolution.course.verdict import Crashed, Unrecognised
from evolution.lab import procfs

PATIENCE = 3.0
"""Seconds for whatever an answer may take its time for."""

CROWD = 16
"""Clients that come while a reactor is busy: one of them at least reaches another one."""

LIMITS = Limits(tasks=96, mib=1024)
"""A thread for each of these clients in each reactor is allowed, and needs much address space (mmap(2))."""

ALONE = {"recvfrom", "recvmsg", "read", "poll", "ppoll"}
"""Calls in which a process waits for one client; poll is what Python's settimeout makes of recv."""


@contextmanager
def serving(bench, *arguments):
    """Start the answer; return the server.

    SIGUSR1 is the answer's own here, so it must not be asked with it where it is. `linger` tells a reactor
    that is being ended from one that nobody has told. What is not recognised, and comes with an exception of
    the learner's, in whatever process, is Crashed.
    """
    with bench.serve(*arguments, limits=LIMITS, linger=0.25, asks=False) as server:
        try:
            yield server
        except Unrecognised as finding:
            said = server.traceback()
            if any("your line" in line for line in said):
                raise Crashed(*finding.evidence, *said) from None
            raise
        except ConnectionRefusedError:
            refused = "a client that comes is refused: nobody listens on the port any more"
            if until(lambda: server.status is not None, 0.5):
                raise server.crashed(refused) from None
            raise Unrecognised(refused) from None


def until(condition, seconds=PATIENCE):
    """Wait until `condition()` is true; return what it said last."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def born(server):
    """Return the pids of all that have called on_start, in the order of their births."""
    return [pid for pid, _ in births(server)]


def births(server):
    """Return (pid, its parent) of all that have called on_start."""
    lines = re.findall(r"^(\d+) (\d+)\n", server.file("births") or "", re.MULTILINE)
    return [(int(pid), int(parent)) for pid, parent in lines]


def grandchildren(server):
    """Return (pid, its parent) of those whose parent is a reactor itself: only a master should make them."""
    reactors = set(born(server)) - {server.pid}
    return [(pid, parent) for pid, parent in births(server) if parent in reactors]


def crew(server):
    """Return the pids of the reactors that live. Helpers of the standard library are none: not born so."""
    found = ((pid, procfs.process(pid)) for pid in set(born(server)) - {server.pid})
    return {pid for pid, process in found if process and process.state not in "ZX"}


def readiness(server):
    """Return how many times it has printed that it listens."""
    return len(re.findall(r"^listening ", server.output, re.MULTILINE))


def goes_when_poked(server, idle, sleepers):
    """Let an idle client send a byte that ends no message, and let others come.

    Return whether one of these reactors, all asleep, ends now: then it had not been woken. One that waits for
    its clients to leave is not moved by it. Not each of them can be reached so: the kernel chooses.
    """
    if not sleepers or not still(sleepers):
        return False
    idle.send(b"x")
    others = []
    with suppress(OSError):  # whoever has closed the listener is not woken, and need not be
        for _ in range(CROWD):
            others.append(server.connect())
    gone = until(lambda: sleepers - crew(server), 2.0)
    for each in others:
        each.close()
    return bool(gone)


def still(pids):
    """Return whether all of these processes sleep, and did not wake for a third of a second."""

    def seen():
        found = [procfs.process(pid) for pid in pids]
        return [each and (each.state, each.voluntary) for each in found]

    before = seen()
    time.sleep(0.3)
    return seen() == before and all(each and each[0] == "S" for each in before)


def hear(client, seconds=PATIENCE):
    """Return the next line without its newline; None when there is none in time or the connection ends.

    Raises Unrecognised for a server that uses up the processor meanwhile.
    """
    reply = client.hear(seconds, hold=True)
    if reply.silent == "spinning":
        raise Unrecognised(*client.transcript, "it uses the processor all the time and does not sleep")
    return reply.text


def number(text):
    """Return the pid in an answer to `who`, 0 when it is none."""
    return int(text) if text and text.isdigit() else 0


def who(client):
    """Return the pid of the process that answers this client, 0 without an answer."""
    client.send(b"who\n")
    return number(hear(client))


def nap(server):
    """Return (a client whose message is in the handler now, the pid that handles it).

    That the handler has begun is told by the handler. Raises Unrecognised when it does not begin.
    """
    client = server.connect()
    pid, before = who(client), server.file("naps") or ""
    client.send(b"nap\n")
    if not until(lambda: len(server.file("naps") or "") > len(before)):
        raise Unrecognised(*client.transcript, "the message nap has not come to the handler")
    return client, pid


def crowd(server):
    """Return CROWD new clients that have asked who serves them."""
    clients = [server.connect() for _ in range(CROWD)]
    for client in clients:
        client.send(b"who\n")
    return clients


def answered(clients, goes_on):
    """Return the clients that have an answer, once there is one; none when `goes_on()` has become false."""
    while goes_on():
        ready = select.select([each.sock for each in clients], [], [], 0.02)[0]
        if ready and goes_on():
            return [each for each in clients if each.sock in ready]
    return []


def beside_a_busy_one(server):
    """Let a reactor sleep in the handler while others come.

    Return (its pid, its client, the others, those of them that were answered meanwhile).
    """
    sleeper, pid = nap(server)
    clients = crowd(server)
    resting = lambda: not select.select([sleeper.sock], [], [], 0)[0]  # noqa: E731
    return pid, sleeper, clients, answered(clients, resting)


def beside_a_stopped_one(server, pid):
    """Return the pids that answer while this one is stopped by SIGSTOP (signal(7)); empty after PATIENCE."""
    server.signal(signal.SIGSTOP, pid)
    try:
        clients, end = crowd(server), time.monotonic() + PATIENCE
        found = {number(hear(each)) for each in answered(clients, lambda: time.monotonic() < end)}
    finally:
        server.signal(signal.SIGCONT, pid)
    for each in clients:
        each.close()
    return found - {0}


def waits_for_one(server, client):
    """True when the client's bytes lie unread while a process of one thread sleeps for a single other one."""
    calls = [[thread.call for thread in each.threads] for each in server.family.all()]
    alone = any(len(threads) == 1 and threads[0] and threads[0].name in ALONE for threads in calls)
    return bool(client.open and server.unread(client.port) and alone)


def told(server, seconds=PATIENCE):
    """Ask for statistics with SIGUSR1; return (the line of JSON as a dict or None, what was printed)."""
    before = len(server.output)
    server.signal(signal.SIGUSR1)

    def fresh():
        for line in server.output[before:].splitlines():
            with suppress(ValueError):
                if isinstance(found := json.loads(line), dict):
                    return found
        return None

    server.sandbox.until(lambda: fresh() or server.status is not None, seconds)
    return fresh(), server.output[before:]


def told_at_last(server, fits):
    """Ask until the statistics fit, for a client that has left may not have been noticed yet. See `told`."""
    for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 0):
        facts, printed = told(server)
        if facts is None or fits(facts):
            break
        time.sleep(pause)
    return facts, printed


def loses_the_dead(server, clients, said):
    """End a reactor with some of these clients, while the statistics say that `said` are connected.

    Return (how many it had, the statistics afterwards). When already two that leave in order are not counted
    down, it is another mistake: return (0, the statistics).
    """
    for client in clients[:2]:
        client.close()
    fewer = told_at_last(server, lambda facts: facts.get("connections") == said - 2)[0]
    if not fewer or fewer.get("connections") != said - 2:
        return 0, fewer
    by_pid, alive = {}, len(crew(server))
    for client in clients[2:]:
        by_pid.setdefault(who(client), []).append(client)
    doomed = max(by_pid.values(), key=len)
    doomed[0].send(b"die\n")
    for client in doomed:
        hear(client, 1.0)
    until(lambda: len(crew(server)) == alive)
    for client in crowd(server):  # the new one counts anew
        hear(client)
        client.close()
    return len(doomed), told_at_last(server, lambda facts: facts.get("connections", 0) < said - 2)[0]


def come_meanwhile(server, bench, goes_on):
    """Let clients come one after the other while `goes_on()`.

    Return (the OSError that refused one, the transcript of one that got no answer). A connection that is
    closed before its first answer may have been taken for an idle one: a client tries three times.
    """
    while goes_on():
        for attempt in range(3):
            try:
                client = server.connect()
            except OSError as error:
                return error, []
            word = bench.word()
            client.send(word + b"\n")
            if hear(client) == b"echo " + word:
                client.close()
                break
            if attempt == 2 or client.open:
                return None, client.transcript
        time.sleep(0.02)
    return None, []
