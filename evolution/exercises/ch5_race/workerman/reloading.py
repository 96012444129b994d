"""The stage reload: what is done stands in crew.py; here is what it means."""

import signal
import time

from evolution.course.verdict import Unrecognised, Wrong
from evolution.exercises.ch5_race import crew
from evolution.exercises.ch5_race.crew import hear, until, who
from evolution.exercises.ch5_race.workerman.stages import expect_alive, passed

LATE = 3.0
"""Seconds for the old reactors to go, once the last message is answered."""


def reload(bench, server):
    before, said = crew.crew(server), crew.readiness(server)
    idle = server.connect()
    who(idle)
    sleeper, _ = crew.nap(server)
    server.signal(signal.SIGHUP)
    story = ["a client's message is in the handler; SIGHUP is sent to the main process"]
    end = time.monotonic() + 0.8  # longer than the handler takes: the old ones go meanwhile
    refused, unheard = crew.come_meanwhile(server, bench, lambda: time.monotonic() < end)
    rested = hear(sleeper)
    expect_alive(server, "reload", *story, killed_by=signal.SIGHUP)
    if rested != b"rested":
        story += sleeper.transcript[-2:]
        if sleeper.open:
            raise Unrecognised(passed("reload"), *story)
        raise Wrong("reload_drops", passed("reload"), *story)
    goes_on(server, said, story)
    if refused:
        came = f"a client that came meanwhile: {refused.strerror}"
        if until(lambda: server.status is not None, 0.5):
            raise server.crashed(passed("reload"), *story, came)
        raise Wrong("refuses_meanwhile", passed("reload"), *story, came)
    if unheard:
        raise Unrecognised(passed("reload"), *story, "a client came meanwhile:", *unheard)
    sleeper.close()
    expect_replaced(server, idle, before, said, story)
    in_silence(server)


def in_silence(server):
    """The same once more, and nobody comes: whoever sleeps has to be woken by the signal itself."""
    before, said = crew.crew(server), crew.readiness(server)
    idle = server.connect()
    who(idle)
    server.signal(signal.SIGHUP)
    story = ["one client is idle, nobody else is there; SIGHUP is sent to the main process once more"]
    expect_replaced(server, idle, before, said, story)


def goes_on(server, said, story, stage="reload"):
    """Raises Wrong when an old reactor has gone on in the master's text: it makes reactors, as masters do.

    `said`: how often readiness had been announced before. What was printed a moment ago may not have come
    yet, so the stage stop, where all of it has come, looks once more.
    """
    proofs = [
        f"reactor {pid} was forked by reactor {parent}" for pid, parent in crew.grandchildren(server)[:2]
    ]
    lost = any(name in server.sandbox.errors for name in ("ChildProcessError", "ProcessLookupError"))
    if not proofs and lost and crew.readiness(server) > said:
        proofs = ["`listening` is printed once more, and a process looks for children that it does not have"]
    if proofs:
        raise Wrong("child_goes_on", passed(stage), *story, *proofs)


def expect_replaced(server, idle, before, said, story):
    """Raises a Finding when old reactors are still there, or no new ones."""
    replaced = lambda: len(crew.crew(server)) == len(before) and not crew.crew(server) & before  # noqa: E731
    if not until(replaced, LATE):
        not_reloaded(server, idle, before, replaced, (said, story))
    goes_on(server, said, story)
    idle.close()


def not_reloaded(server, idle, before, replaced, told):
    """Raises a Finding: the old reactors are still there, or the new ones are not."""
    said, story = told
    now = crew.crew(server)
    stayed, fresh = now & before, now - before
    goes_on(server, said, story)
    there = f"{len(stayed)} of {len(before)} old reactors still run, beside {len(fresh)} new ones"
    story = (passed("reload"), *story, f"{LATE:g} s after that {there}")
    if crew.goes_when_poked(server, idle, stayed):
        raise Wrong("sleeps_on", *story, "then a client stirs, and others come: now a reactor goes")
    idle.close()
    if until(replaced, 1.0):
        raise Wrong("hangs_on_idle_clients", *story, "an idle client was connected; when it left, they went")
    if stayed == before and len(fresh) in (0, len(before)):
        raise Wrong("old_workers_stay" if fresh else "no_reload", *story)
    raise Unrecognised(*story, *(line for pid in sorted(stayed) for line in server.family.lines(pid)))
