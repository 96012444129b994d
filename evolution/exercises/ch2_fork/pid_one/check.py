"""Orphans that die, one that stays, and a service that ends: with a status, and by a signal."""

import random
import re
import signal
import time

from evolution.course.bench_processes import Family, call_of
from evolution.course.talk import CHEW
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

PATIENCE = 4.0
"""Seconds for what should happen at once."""

RESTLESS = 300
"""Naps in one look: more is a loop that spins."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    code = random.randint(2, 90)
    first, second = bench.together(
        lambda: life(bench, b"exit %d" % code, code), lambda: life(bench, b"signal 9", -signal.SIGKILL)
    )
    return (*first, second[-1])


def life(bench, order, code):
    """One life of the service; return what was seen. Raises what init shows otherwise."""
    with bench.serve() as server:
        family = Family(server)
        client = server.connect()
        service = int(heard(server, family, client, rb"process (\d+)"))
        quiet(server, family, client)
        dead = [orphan(server, family, client, 0) for _ in range(3)]
        buried(server, family, client, dead, service)
        living = orphan(server, family, client, 60)
        client.send(order + b"\n")
        said = returned(server, family, client, service, living)
        if said == str(code << 8 if code > 0 else -code):
            raise Wrong("raw_status", *client.transcript, f"expected init to return {code}, it returned {said}")
        if said != str(code):
            raise Wrong("loses_status", *client.transcript, f"expected init to return {code}, it returned {said}")
        return (
            "PID 1 slept while nobody died",
            f"{len(dead)} orphans ended, and no zombie was left",
            f"the service ended ({order.decode()}): init returned {said}, though another orphan still lived",
        )


def heard(server, family, client, pattern):
    """Return what the service says. Raises what is seen when it does not."""
    if said := has_returned(server):
        raise Wrong("first_death_ends_it", *client.transcript, f"the service still runs, and init has returned {said}")
    reply = family.hear(client)
    found = re.fullmatch(pattern, reply.text or b"")
    if found:
        return found[1]
    if not server.sandbox.alive or reply.silent == "ended":
        raise server.crashed(*client.transcript)
    if said := has_returned(server):
        raise Unrecognised(*client.transcript, f"init has returned {said} before the service could work")
    if spins(server):
        raise Wrong("busy_waits", *client.transcript, f"PID 1 is {server.where()}")
    raise TooSlow(*client.transcript, *family.lines())


def orphan(server, family, client, seconds):
    """Let the service make an orphan; return its pid."""
    client.send(b"orphan %d\n" % seconds)
    return int(heard(server, family, client, rb"orphan (\d+)"))


def quiet(server, family, client):
    """Nobody dies: PID 1 has nothing to do. Raises busy_waits when it does it all the same."""
    before = server.process()
    begin = time.monotonic()
    while time.monotonic() < begin + PATIENCE:
        now = server.process()
        if now is None or not server.sandbox.alive:
            raise server.crashed(*client.transcript)
        used, naps = (now.cpu_ns - before.cpu_ns) / 1e9, now.voluntary - before.voluntary
        if used > CHEW / 2 or naps > RESTLESS:
            raise Wrong(
                "busy_waits",
                f"nobody has died: PID 1 has used {used:.2f} s of processor time, and slept {naps} times",
                f"it is {server.where()}",
            )
        if time.monotonic() > begin + 0.5 and used < 0.1 and now.state == "S":
            return
        time.sleep(0.02)


def spins(server):
    found = server.process()
    time.sleep(0.3)
    later = server.process()
    return bool(found and later and later.cpu_ns - found.cpu_ns > 0.1e9)


def buried(server, family, client, dead, service):
    """Wait until the orphans are gone, not even zombies."""
    gone = lambda: not set(dead).intersection(family.states())  # noqa: E731
    if family.until(gone, 0.3):
        if said := has_returned(server):
            raise Wrong(
                "first_death_ends_it", *client.transcript, f"process {service}, the service, still runs; init has returned {said}"
            )
        return
    if said := has_returned(server):
        raise Wrong(
            "first_death_ends_it", *client.transcript, f"process {service}, the service, still runs; init has returned {said}"
        )
    if family.rests(server.pid) and not gone():
        zombies = sorted(set(dead).intersection(family.zombies()))
        raise Wrong(
            "waits_for_one", *client.transcript, f"processes {zombies} have ended and are zombies", f"PID 1 is {server.where()}"
        )
    if not family.until(gone, PATIENCE):
        raise TooSlow(*client.transcript, *family.lines())


def returned(server, family, client, service, living):
    """Return what init returned, once the service is gone."""
    said = family.until(lambda: has_returned(server) or not server.sandbox.alive, 0.3)
    if said is None or said is False:
        rests = family.rests(server.pid, PATIENCE)
        if rests and not has_returned(server) and procfs.process(service) is None:
            call = call_of(server.process())
            raise Wrong(
                "outlives_the_service",
                *client.transcript,
                f"the service is gone; PID 1 is asleep in {call}, an orphan lives: process {living}",
            )
        if rests and not has_returned(server):
            raise Unrecognised(*client.transcript, *family.lines())
    said = family.until(lambda: has_returned(server) or not server.sandbox.alive, PATIENCE)
    if not server.sandbox.alive:
        raise server.crashed(*client.transcript)
    if not said:
        raise TooSlow(*client.transcript, *family.lines())
    return said


def has_returned(server):
    """Return what init has returned, as text; None while it runs."""
    found = re.search(r"^init returned (.*)\n", server.sandbox.output, re.MULTILINE)
    return found and found[1]
