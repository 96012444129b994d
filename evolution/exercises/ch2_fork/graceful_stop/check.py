"""One client idle, one in the middle, one in the queue; and SIGTERM to the master."""

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

from evolution.course.bench_processes import Family, call_of
from evolution.course.verdict import Crashed, TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

PATIENCE = 4.0
"""Seconds for an answer; the work in flight takes 0.6 s."""

STOP = 2.4
"""Seconds from the last answer until all have ended."""

TURNS = 5
"""Naps after a signal that show a process to have gone on all the same."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        family = Family(server)
        idle, busy, queued = crowd(bench, server, family)
        master = next(iter(family.states()))
        workers = list(family.states(master))
        settled = lambda: (found := procfs.process(master)) and call_of(found)  # noqa: E731
        family.until(settled, PATIENCE)  # its handler may stand behind the fork of the workers
        os.kill(master, signal.SIGTERM)
        story = [f"SIGTERM to the master, process {master}; workers {workers}"]
        answered = []
        for client in (busy, queued):
            answered.append(heard(family, client))
            client.close()
        family.until(lambda: over(server, family) or left_behind(server, family), STOP)
        judge(server, family, (idle, busy, queued), answered, master, workers, story)
        return (
            "the request in flight had its whole answer",
            "the client in the queue was answered",
            "the idle connection was closed",
            "master and workers ended, exit status 0",
        )


def crowd(bench, server, family):
    """Return three clients: one has its answer and stays, one is being worked for, one is in the queue."""
    idle, busy, queued = clients = [server.connect() for _ in range(3)]
    names = [bench.word() for _ in clients]
    idle.send(names[0] + b"\n")
    if heard(family, idle) is None:
        raise trouble(server, family, idle)
    busy.sock.settimeout(PATIENCE)
    for client in (busy, queued):
        client.note("client is connected before the stop")
    queue = lambda: (found := procfs.listen_queue(server.port)) and found.length  # noqa: E731
    taken = lambda: bool(family.holders(queued.port))  # noqa: E731 — by a worker that talks to several at once
    if not family.until(lambda: queue() == 1 or taken(), PATIENCE):
        raise trouble(server, family, idle)
    busy.send(b"slow " + names[1] + b"\n")
    if not family.until(lambda: server.unread(busy.port) == 0, PATIENCE):
        raise trouble(server, family, busy)
    queued.send(names[2] + b"\n")
    return clients


def heard(family, client):
    """Return the line that a client hears, None when the connection ends or nobody will ever speak."""
    return family.hear(client, PATIENCE).text


def trouble(server, family, client):
    """Return what to raise when a client that nothing stands in the way of is not served."""
    if not server.sandbox.alive or ended(server) is not None:
        return Crashed(*client.transcript, f"the master has ended with {ended(server)}", *server.traceback())
    if family.rests(next(iter(family.states()))):
        return Unrecognised(*client.transcript, *family.lines(), "expected two workers, for two clients")
    return TooSlow(*client.transcript, *family.lines())


def over(server, family):
    """Return whether master and workers are all gone."""
    return ended(server) is not None and not family.states()


def left_behind(server, family):
    """Return the processes that still live although the master has ended."""
    return ended(server) is not None and alive(family)


def alive(family):
    return [each for each in family.below() if each.state not in "ZX"]


def judge(server, family, clients, answered, master, workers, story):
    idle, busy, queued = clients
    status, left = ended(server), alive(family)
    if not server.sandbox.alive:
        raise server.crashed(*story)
    told = [f"the master {'still runs' if status is None else f'ended with {status}'}", *family.lines()[1:]]
    if answered[0] is None:
        if status is not None and left:
            raise Wrong("master_only", *story, *busy.transcript, *told)
        raise Wrong("kills_in_flight", *story, *busy.transcript, *told)
    behind = sorted(left_at_end(server).intersection(workers))
    if behind and family.until(lambda: not alive(family), STOP):
        raise Wrong("does_not_wait", *story, told[0], f"at that moment these workers were not done yet: {behind}")
    if status is not None and left:
        raise Wrong("master_only", *story, *told)
    if answered[1] is None and status is not None:
        raise Wrong("drops_the_queue", *story, *queued.transcript, *told)
    if status is None:
        if not family.until(lambda: all(each.state == "S" for each in alive(family)), STOP):
            raise TooSlow(*story, *told, f"{STOP:g} s after the last answer this is not over")
        if holders := set(family.holders(idle.port)) - {master}:
            slept = {each.pid: each.voluntary for each in alive(family)}
            idle.close()
            gone = family.until(lambda: over(server, family), 0.8)
            if not gone and not all(goes_on(pid, slept.get(pid, 0)) or family.rests(pid, 0.6) for pid in workers):
                gone = family.until(lambda: over(server, family), STOP)
            if gone:
                held = f"process {min(holders)} held the idle connection; when its client left, all ended"
                raise Wrong("hangs_on_keepalive", *story, *told, held)
        if {each.pid for each in left} == {master, *workers}:
            hear(server, family, workers, (*story, *told))
        raise Unrecognised(*story, *told)
    if idle.hear(1.0, hold=True).silent not in ("closes", "resets"):
        raise Unrecognised(*story, *idle.transcript, *told)
    if status != 0:
        raise Wrong("exit_nonzero", *story, f"all was finished, and the master's exit status is {status}")


def hear(server, family, workers, story):
    """Send SIGTERM to the workers ourselves, and raise what their answer shows."""
    slept = {each.pid: each.voluntary for each in alive(family)}
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    there = lambda: sorted({each.pid for each in alive(family)}.intersection(workers))  # noqa: E731
    sent = "then the checker sent SIGTERM to the workers as well"
    if family.until(lambda: not there(), 1.0) or (
        not all(goes_on(pid, slept.get(pid, 0)) or family.rests(pid, 0.6) for pid in workers) and family.until(lambda: not there(), STOP)
    ):
        raise Wrong("workers_never_hear", *story, f"{sent}: they ended")
    if there() == sorted(workers) and all(goes_on(pid, slept.get(pid, 0)) or family.rests(pid) for pid in workers):
        raise Wrong("workers_stay", *story, f"{sent}, and they stayed", *(f"process {pid} {treats(pid)}" for pid in workers))


def goes_on(pid, slept):
    """Return whether a process has gone to sleep, and woken, again and again since it was at `slept`."""
    found = procfs.process(pid)
    return bool(found and found.voluntary > slept + TURNS)


def treats(pid):
    """Return what a process does with SIGTERM: its bits in SigIgn and SigCgt, proc(5)."""
    with suppress(OSError):
        masks = dict(re.findall(r"^(SigIgn|SigCgt):\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))
        for name, words in (("SigIgn", "ignores SIGTERM"), ("SigCgt", "has a handler for SIGTERM")):
            if int(masks[name], 16) >> (signal.SIGTERM - 1) & 1:
                return words
    return "has no handler for SIGTERM"


def left_at_end(server):
    """Return the pids that still lived at the moment in which the master ended."""
    found = re.search(r"^left behind (.*)$", server.sandbox.output, re.MULTILINE)
    return set(map(int, found[1].split())) if found else set()


def ended(server):
    """Return the master's exit status, None while it runs."""
    found = re.search(r"^master ended (-?\d+)$", server.sandbox.output, re.MULTILINE)
    return int(found[1]) if found else None
