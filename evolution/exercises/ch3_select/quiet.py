"""Does a server rest while nothing happens? Processor time and wake-ups tell, not the clock.

Shared by the checkers of this chapter.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from evolution.course.verdict import TooSlow, Unrecognised
from evolution.lab import procfs

CHEW = 0.4
"""Seconds of processor time in which nothing happened: it spins."""

WAKES = 20.0
"""Times a second that a server may wake up for nothing. The tasks allow ten, or as many."""

STILL = 0.25
"""Seconds of sleep in one place."""

LONGEST = 4.0


@dataclass(frozen=True)
class Rest:
    """How a server spends a moment in which nothing happens."""

    kind: str
    """asleep, spinning, waking or ended."""
    fact: str = ""

    @property
    def asleep(self):
        return self.kind == "asleep"


def rest(server, most=WAKES):
    """Watch until one can tell; return a Rest. `most` wake-ups a second are no fault. Raises TooSlow."""
    begin = since = time.monotonic()
    before = last = server.process()
    while before and time.monotonic() < begin + LONGEST:
        time.sleep(0.02)
        now, waited = server.process(), time.monotonic() - begin
        if now is None or now.state in "ZX":
            break
        cpu, wakes = (now.cpu_ns - before.cpu_ns) / 1e9, now.voluntary - before.voluntary
        if cpu > CHEW:
            return Rest("spinning", f"{cpu:.1f} s of processor time for nothing")
        if waited > 0.3 and wakes > most * waited + 10:
            return Rest("waking", f"it woke up {wakes} times in {waited:.1f} s for nothing")
        if not _still(last, now):
            last, since = now, time.monotonic()
        elif time.monotonic() - since > STILL:
            return Rest("asleep")
        if waited > 1.0 and cpu < 0.1 * waited:
            return Rest("asleep")
    else:
        if before:
            raise TooSlow(f"in {LONGEST:g} s one could not tell whether the server rests")
    return Rest("ended", server.how_it_ended())


def _still(before, now):
    """True when it has slept all the time in between, in the same call."""
    return now.state == "S" and (now.voluntary, _call(now)) == (before.voluntary, _call(before))


def _call(process):
    return process.threads[0].call if process.threads else None


def seen(server):
    """Return what it is doing; of a server that spins the line is one of several, so it is told as a sample."""
    return server.where().replace("; your line", "; seen at your line")


def call(server):
    """Return a connected Client. Raises Crashed or Unrecognised when nobody listens any more."""
    try:
        return server.connect()
    except ConnectionError as error:
        words = f"the next client's connect fails: {error.strerror}"
        raise (server.crashed(words) if server.sandbox.wait(1.0) else Unrecognised(words, f"the server is {server.where()}")) from None


def tasks(server):
    """Return how many processes and threads the answer has."""
    count, family = 0, [server.pid]
    while family:
        pid = family.pop()
        with suppress(OSError):  # it may end meanwhile
            count += len(os.listdir(f"/proc/{pid}/task"))
            family += procfs.children(pid)
    return count


def sockets(server):
    """Return how many sockets the answer's process has open."""
    found = server.process()
    return sum(each.kind == "socket" for each in found.descriptors) if found else 0


def story(**clients):
    """Return what was said on several connections, each line with its client's name."""
    return tuple(f"{name}: {line}" for name, client in clients.items() for line in client.transcript)
