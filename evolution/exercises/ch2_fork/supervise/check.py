"""A worker is killed, all workers die at once as often as they are started, and then the crew is to stop."""

import os
import re
import signal
import time

from evolution.course.bench_processes import Family, call_of
from evolution.course.verdict import Crashed, TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

SIZE = 3
PATIENCE = 4.0
"""Seconds for what should happen at once."""

REPLACE = 2.5
"""Seconds until a dead worker must have been replaced; the task allows some ten starts a second."""

STORM = 40
"""Starts within WINDOW seconds: five times what is allowed, and a tenth of what a loop without a pause does."""

WINDOW = 0.8
RECOVER = 3.4
"""Seconds until the crew must be complete again once workers live; the task says 3."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve(str(SIZE)) as server:
        family = Family(server)
        if not family.until(lambda: complete(server, family) or ended(server) is not None, PATIENCE):
            raise otherwise(server, family, f"expected {SIZE} workers below the master")
        killed = replaced(server, family, signal.SIGKILL)
        leaver = replaced(server, family, signal.SIGTERM)
        starts = crash_loop(server, family)
        stops(server, family)
        return (
            f"worker {killed} was killed, worker {leaver} ended with exit status 0: both were replaced",
            f"workers that die as they start: {starts} starts in {WINDOW:g} s; afterwards {SIZE} workers again",
            "SIGTERM: the request in flight was finished, no worker was started or left, exit status 0",
        )


def master(family):
    return next(iter(family.states()), 0)


def crew(family):
    """Return the pids of the master's living children."""
    return [pid for pid, state in family.states(master(family) or 1 << 30).items() if state not in "ZX"]


def complete(server, family):
    """Return whether SIZE workers sleep in accept, each of whom has said that it was started."""
    pids = crew(family)
    found = [procfs.process(pid) for pid in pids]
    asleep = [each for each in found if each and call_of(each).startswith("accept")]
    return len(pids) == len(asleep) == SIZE and started(server).issuperset(pids)


def otherwise(server, family, words):
    """Return what to raise when something is missing that has no name."""
    if not server.sandbox.alive or ended(server) is not None:
        return Crashed(words, f"the master has ended with exit status {ended(server)}", *server.traceback())
    rests = family.rests(master(family), 3.0)
    return (Unrecognised if rests else TooSlow)(words, *family.lines()[1:6])


def replaced(server, family, how):
    """End one worker, by force or in order, and wait for another; return the pid of the one that ended."""
    pid, *others = crew(family)
    os.kill(pid, how)
    end = "was killed (SIGKILL)" if how == signal.SIGKILL else "ended in order, exit status 0"
    story = f"worker {pid} {end}; workers {others} live"
    replaced = lambda: pid not in crew(family) and complete(server, family)  # noqa: E731
    if family.until(lambda: replaced() or ended(server) is not None, REPLACE) and ended(server) is None:
        return pid
    if how == signal.SIGTERM and (ended(server) == 0 or (ended(server) is None and set(crew(family)) == set(others))):
        raise Wrong("replaces_failures_only", story, f"{REPLACE:g} s later it has no successor; a killed one had", *family.lines()[1:6])
    if ended(server) == 0:
        raise Wrong("worker_not_replaced", story, "then the master ended, exit status 0")
    if ended(server) is None and set(crew(family)) == set(others):
        raise Wrong("worker_not_replaced", story, f"{REPLACE:g} s later there are no more of them", *family.lines()[1:6])
    raise otherwise(server, family, story)


def crash_loop(server, family):
    """Let workers die as fast as they start, for a while; return how many starts there were."""
    broken = server.sandbox.scratch / "broken"
    broken.touch()
    before = starts(server)
    for pid in crew(family):
        os.kill(pid, signal.SIGKILL)
    begin = time.monotonic()
    while time.monotonic() < begin + WINDOW and ended(server) is None:
        if starts(server) - before > STORM:
            took = time.monotonic() - begin
            raise Wrong("respawn_storm", f"workers die as they start: {starts(server) - before} starts in {took:.2f} s")
        time.sleep(0.01)
    count = starts(server) - before
    broken.unlink()
    again = starts(server)
    story = f"workers died as they started ({count} starts in {WINDOW:g} s); then they could live again"
    if family.until(lambda: complete(server, family) or ended(server) is not None, RECOVER) and ended(server) is None:
        return count
    if ended(server) == 0 or (ended(server) is None and starts(server) == again):
        raise Wrong("gives_up", story, f"{RECOVER:g} s later {len(crew(family))} workers are there", *family.lines()[1:6])
    if ended(server) is None:
        raise Unrecognised(story, f"{RECOVER:g} s later the crew is not complete", *family.lines()[1:6])
    raise otherwise(server, family, story)


def stops(server, family):
    """SIGTERM to the master while one worker has a client: all end, the work is finished."""
    client = server.connect()
    reply = client.hear(PATIENCE, hold=True)
    if reply.text is None:
        raise otherwise(server, family, "expected a worker to take the client")
    client.send(b"work\n")
    if not family.until(lambda: server.unread(client.port) == 0, PATIENCE):
        raise TooSlow(*client.transcript)
    pid, workers = master(family), crew(family)
    known = started(server)
    os.kill(pid, signal.SIGTERM)
    story = [f"SIGTERM to the master, process {pid}; workers {workers}"]
    fresh = lambda: sorted(started(server) - known)  # noqa: E731
    over = lambda: ended(server) is not None or fresh()  # noqa: E731
    family.until(over, 1.0)
    done = client.hear(PATIENCE, hold=True).text
    if ended(server) is None:
        family.until(over, 1.0)
    if fresh():
        raise Wrong("replaces_on_stop", *story, f"after that, workers {fresh()[:3]} were started", *family.lines()[1:6])
    if ended(server) is None:
        left = crew(family)
        if set(workers) == set(left) and family.rests(pid):
            raise Wrong("sleeps_through_stop", *story, *family.lines()[1:6])
        raise otherwise(server, family, f"{story[0]}; it does not end")
    alive = lambda: [each for each in family.below() if each.state not in "ZX"]  # noqa: E731
    family.until(lambda: not alive(), PATIENCE)  # those who have been told end soon
    left, behind = alive(), sorted(left_at_end(server).intersection(workers))
    end = f"the master has ended, exit status {ended(server)}"
    if left:
        raise Wrong("orphans_keep_port", *story, end, *family.lines()[1:6], f"the port is still held by {family.holders()}")
    if done != b"done":
        raise Wrong("kills_the_crew", *story, *client.transcript, end)
    if behind:
        raise Wrong("does_not_wait", *story, end, f"at that moment these workers were not done yet: {behind}")
    if ended(server) == 0 and "\nsupervise returned\n" not in server.sandbox.output:
        raise Wrong("does_not_return", *story, end, "the line after supervise(…) was not reached")
    if ended(server):
        raise otherwise(server, family, story[0])


def starts(server):
    return server.sandbox.output.count("\nstarted ")


def started(server):
    """Return the pids of all workers that have said that they run."""
    return set(map(int, re.findall(r"^started (\d+)$", server.sandbox.output, re.MULTILINE)))


def left_at_end(server):
    """Return the pids that still lived at the moment in which the master ended."""
    found = re.search(r"^left behind (.*)$", server.sandbox.output, re.MULTILINE)
    return set(map(int, found[1].split())) if found else set()


def ended(server):
    """Return the master's exit status, None while it runs."""
    found = re.search(r"^master ended (-?\d+)$", server.sandbox.output, re.MULTILINE)
    return int(found[1]) if found else None
