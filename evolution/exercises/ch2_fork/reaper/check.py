"""Four times 32 children that die while the server cannot look, and one that lives through all of it."""

import os
import random
import re
import select
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from evolution.course.bench_processes import Family, call_of
from evolution.course.sandbox import Limits
from evolution.course.verdict import TooSlow, Unrecognised, Wrong

ROUNDS = 4
CHILDREN = 32
SIGNALS = 3
"""SIGCHLDs that a burst can be: one for all, and perhaps one for those that were a little late."""

PATIENCE = 4.0
"""Seconds for what should happen at once."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve(limits=Limits(tasks=2 * CHILDREN + 40, mib=1024)) as server:
        family = Family(server)
        ends = {}
        survivor, survivor_pid = child(server, family)
        for _ in range(ROUNDS):
            expected = burst(server, family)
            judge(server, family, expected, survivor_pid)
            ends |= expected
        survivor.send(b"exit 7")
        ends[survivor_pid] = 7
        judge(server, family, {survivor_pid: 7}, None)
        last, last_pid = child(server, family)
        last.close()
        extra = [pair for pair in records(server) if pair[0] not in ends and pair[0] != last_pid]
        counts = len(records(server))
        if extra or counts > len(ends) + 1:
            raise Unrecognised(f"expected one record for each of {len(ends)} children, there are {counts}, also for {extra[:3]}")
        killed = sum(code < 0 for code in ends.values())
        return (
            f"{ROUNDS} times {CHILDREN} children ended while the server was stopped: one SIGCHLD for each {CHILDREN}",
            f"all reaped and recorded with their codes, {killed} of them killed by a signal",
            "one child lived through it, and the server answered the next client",
        )


def child(server, family):
    """Connect; return (client, pid of the child that talks to it). Raises what it shows otherwise."""
    client = family.connect()
    if select.select([client.sock], [], [], 0.3)[0]:  # the usual case, a hundred times: nothing to look into
        found = None
        with suppress(ConnectionError):  # hear tells the story
            found = re.fullmatch(rb"process (\d+)\n", client.sock.recv(100, socket.MSG_PEEK))
        if found:
            client.sock.recv(100)
            client.note(f"server: process {int(found[1])}")
            return client, int(found[1])
    reply = family.hear(client)
    found = re.fullmatch(rb"process (\d+)", reply.text or b"")
    if found:
        return client, int(found[1])
    if not server.sandbox.alive or reply.silent == "ended":
        raise server.crashed(*client.transcript)
    circling(server, family, client, reply)
    main = server.process()
    if main and call_of(main) == "wait" and family.rests(server.pid):
        if not records(server) and not family.zombies():
            story = (*client.transcript, f"the server is {server.where()}", "none of its children has ended yet")
            raise Wrong("fork_then_wait", *story)
        alive = [pid for pid, state in family.states().items() if state not in "ZX"]
        story = (*client.transcript, f"the server is {server.where()}", f"alive, and not about to end: {alive}")
        raise Wrong("reaper_blocks", *story)
    if family.rests(server.pid):
        raise Unrecognised(*client.transcript, *server.traceback(), f"the server is {server.where()}")
    raise TooSlow(*client.transcript, *family.lines()[:4])


def circling(server, family, client, reply):
    """Raise spins_on_the_living when a reaper goes round for as long as a child lives."""
    alive = [pid for pid, state in family.states().items() if state not in "ZX"]
    zeros = said_of(server, 0)
    if zeros and alive:
        story = f"record was called with process 0, {zeros} times or more, while {len(alive)} children live"
        raise Wrong("spins_on_the_living", *client.transcript, story)
    if reply.silent != "spinning" or not alive:
        return
    where = server.where()
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if re.fullmatch(rb"process (\d+)", family.hear(client).text or b""):
        story = f"when they had been killed (SIGKILL, by the checker), the client was served; before, {len(alive)} children lived"
        raise Wrong("spins_on_the_living", *client.transcript[:-1], f"the server was {where}", story)


def said_of(server, pid):
    return server.sandbox.output.count(f"\nrecord {pid} ")


def burst(server, family):
    """Let CHILDREN children end while the server is stopped; return {pid: how each ended}."""
    made = [child(server, family) for _ in range(CHILDREN)]
    server.sandbox.signal(signal.SIGSTOP)
    if not family.until(lambda: (found := server.process()) is None or found.state == "T", PATIENCE):
        raise TooSlow("the server could not be stopped in time")
    expected = {}
    for number, (client, pid) in enumerate(made):
        code = -signal.SIGTERM if number % 8 == 5 else random.randint(1, 90)
        expected[pid] = code
        client.send(b"signal %d" % -code if code < 0 else b"exit %d" % code)
    if not family.until(lambda: dead(family.states(), expected), PATIENCE):
        raise TooSlow(f"{CHILDREN} children did not end within {PATIENCE:g} s on this machine")
    server.sandbox.signal(signal.SIGCONT)
    for client, _ in made:
        client.close()
    return expected


def dead(states, pids):
    return all(states.get(pid, "Z") in "ZX" for pid in pids)


def judge(server, family, expected, survivor):
    """Wait until all of `expected` are recorded and gone. Raises what it shows otherwise."""
    deadline = time.monotonic() + PATIENCE
    while not settled(server, family, expected):
        if not server.sandbox.alive:
            raise server.crashed(f"{len(expected)} children have ended")
        if time.monotonic() > deadline:
            raise TooSlow(f"{len(expected)} children have ended", *family.lines()[:4])
        if family.rests(server.pid, 0.5) and not settled(server, family, expected):
            break
    said = dict(records(server))
    if survivor and said_of(server, 0):
        story = f"record was called with process 0; {len(expected)} children have ended, and process {survivor} lives"
        raise Wrong("spins_on_the_living", story)
    wrong = {pid: said[pid] for pid in expected if pid in said and said[pid] != expected[pid]}
    for pid, code in wrong.items():
        story = f"process {pid} ended {how(expected[pid])}; recorded: {code}"
        if ignored(server.pid, signal.SIGCHLD):
            raise Wrong("sig_ign_loses_status", story, f"/proc/{server.pid}/status: SIGCHLD is ignored")
        raw = code == (-expected[pid] if expected[pid] < 0 else expected[pid] << 8)
        if raw and all(said[each] == (-c if c < 0 else c << 8) for each, c in expected.items() if each in said):
            raise Wrong("raw_status", story)
        if expected[pid] < 0 and all(code < 0 for code in map(expected.get, wrong)):
            raise Wrong("sign_lost", story)
        raise Unrecognised(story)
    if not settled(server, family, expected):
        left_behind(server, family, expected, said, survivor)


def settled(server, family, expected):
    """Return whether all of `expected` are recorded and none is a zombie any more."""
    said = dict(records(server))
    return all(pid in said for pid in expected) and not set(expected).intersection(family.zombies())


def left_behind(server, family, expected, said, survivor):
    zombies = set(expected).intersection(family.zombies())
    recorded = set(expected).intersection(said)
    main = server.process()
    doing = f"the server is {server.where()}"
    story = (f"{len(expected)} children have ended: {len(recorded)} recorded, {len(zombies)} zombies", doing)
    if survivor and survivor not in said and survivor in family.zombies():
        raise Wrong("kills_the_zombie", *story, f"process {survivor} was alive and talking; now it is dead as well")
    if main and call_of(main) == "wait":
        raise Wrong("reaper_blocks", *story)
    if not zombies and not recorded:
        raise Wrong("sig_ign_loses_status", *story)
    _, pid = child(server, family)
    later = family.until(lambda: len(dict(records(server)).keys() & expected.keys()) > len(recorded), 0.5)
    if later and not recorded:
        raise Wrong("reaps_only_on_next_accept", *story, f"then a client connected (process {pid}), and they were reaped")
    if zombies and 0 < len(recorded) <= SIGNALS:
        raise Wrong("sigchld_coalesced", *story, f"one SIGCHLD was pending for {len(expected)} deaths")
    if zombies and not recorded:
        raise Wrong("never_reaped", *story)
    raise Unrecognised(*story)


def ignored(pid, number):
    """Return whether a process ignores a signal: its bit in SigIgn, proc(5)."""
    with suppress(OSError):
        found = re.search(r"^SigIgn:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return bool(found and int(found[1], 16) >> (number - 1) & 1)
    return False


def records(server):
    """Return [(pid, code)] in the order of recording."""
    found = re.findall(r"^record (\d+) (-?\d+)$", server.sandbox.output, re.MULTILINE)
    return [(int(pid), int(code)) for pid, code in found]


def how(code):
    return f"with exit status {code}" if code >= 0 else f"by signal {-code}"
