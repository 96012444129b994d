"""The process in which the cost of a wait is measured: descriptors that nobody uses, and a call among them.

`python -P -m evolution.lab.cost_probe` reads a plan (costs.measure) as one line of JSON on stdin and writes
one line of JSON. Its descriptors are the two ends of real TCP connections, so that N of them cost N.

A call that finds something ready never sleeps, so its processor time is its cost, and a busy machine does
not spoil it: time is that of the thread (clock_gettime(2), CLOCK_THREAD_CPUTIME_ID), in batches of about a
millisecond, in rounds over all cells, and the median of a cell's batches is reported.
"""

import gc
import json
import resource
import select
import socket
import statistics
import struct
import sys
import time

from evolution.core.address import listen

BATCH = 1e-3
"""Seconds of one batch: short beside a time slice, so that few of them see another process at work."""

ROUNDS = 5
"""Batches of each cell at least, however long they take."""

SPARE = 40
"""Descriptors that the process needs for itself."""

FD_SETSIZE = 1024
"""select(2): it can watch only descriptors whose numbers are below this."""


def main():
    """Measure what the plan on stdin says; print the result. Return the exit status."""
    plan = json.loads(sys.stdin.readline())
    room = raise_limit() - SPARE
    gc.disable()
    everyone = plan["active"] == "all"
    active = 0 if everyone else plan["active"]
    idle = [n for n in plan["idle"] if n + active <= room]
    wanted = min(room, max([FD_SETSIZE, *(n + active for n in idle)]))
    with Connections(wanted, ready=wanted if everyone else active) as descriptors:
        cells = [Cell(kind, n, descriptors[: n + active]) for kind in plan["kinds"] for n in idle]
        spend(plan["seconds"], [cell for cell in cells if not cell.error])
        edge = find_edge(descriptors) if "select" in plan["kinds"] else None
    print(json.dumps({"room": room - active, "points": [cell.result() for cell in cells], "edge": edge}))
    return 0


def raise_limit():
    """Raise the soft limit of descriptors to the hard one (getrlimit(2)); return it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Connections:
    """`count` descriptors, the ends of TCP connections of this process to itself.

    As a context manager it gives their numbers; the first `ready` of them have a byte waiting that nobody
    reads, so they are ready for ever; the others are idle.
    """

    def __init__(self, count, ready):
        pairs = (count + 1) // 2
        with listen("127.0.0.1:0") as listener:
            self.ends = [end for _ in range(pairs) for end in self._pair(listener)]
        for end in range(ready):
            self.ends[end ^ 1].send(b"!")  # the ends of a pair are neighbours: 0 and 1, 2 and 3

    @staticmethod
    def _pair(listener):
        one = socket.create_connection(listener.getsockname(), 5.0)
        return one, listener.accept()[0]

    def __enter__(self):
        return [end.fileno() for end in self.ends]

    def __exit__(self, *_):
        for end in self.ends:  # with a reset (socket(7)): thousands in TIME_WAIT would stay for a minute
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class Cell:
    """One kind of call among so many descriptors; `error` says why it cannot be made."""

    def __init__(self, kind, n, descriptors):
        self.kind, self.n, self.error, self.times, self.calls = kind, n, "", [], 1
        self.call = CALLS[kind](descriptors)
        try:
            self.found = self.call()
        except (ValueError, OSError) as error:
            self.error = f"{type(error).__name__}: {error}"

    def batch(self):
        """Make some calls; note the seconds of one, and how many fill the next batch."""
        call, before = self.call, time.thread_time()
        for _ in range(self.calls):
            call()
        took = max(time.thread_time() - before, 1e-7)
        self.times.append(took / self.calls)
        self.calls = max(1, min(int(self.calls * BATCH / took), self.calls * 4))

    def result(self):
        """Return the point as a dict: kind, n, ready, and in µs us, low and high; or the error."""
        if self.error:
            return {"kind": self.kind, "n": self.n, "error": self.error}
        low, middle, high = statistics.quantiles(self.times, n=4)
        figures = {"us": middle, "low": low, "high": high}
        rounded = {name: round(seconds * 1e6, 3) for name, seconds in figures.items()}
        return {"kind": self.kind, "n": self.n, "ready": self.found, "batches": len(self.times), **rounded}


def spend(seconds, cells):
    """Go round the cells for so many seconds, so that a slow moment of the machine hits all alike."""
    for cell in cells:
        cell.batch()  # the first ones find the size of a batch, and warm up
    for cell in cells:
        cell.times.clear()
    until, rounds = time.monotonic() + seconds, 0
    while rounds < ROUNDS or time.monotonic() < until:
        for cell in cells:
            cell.batch()
        rounds += 1


def call_select(descriptors):
    return lambda: len(select.select(descriptors, [], [], 0)[0])


def call_poll(descriptors):
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return lambda: len(poller.poll(0))


def call_epoll(descriptors):
    poller = select.epoll()
    for descriptor in descriptors:
        poller.register(descriptor, select.EPOLLIN)
    return lambda: len(poller.poll(0, len(descriptors)))  # at most 1,023 at a time if it is not told


CALLS = {"select": call_select, "poll": call_poll, "epoll": call_epoll}


def find_edge(descriptors):
    """Ask select for one descriptor more than it can: {"n", "fd", "error"}; None if there are too few."""
    below = [fd for fd in descriptors if fd < FD_SETSIZE]
    if len(below) == len(descriptors):
        return None
    beyond = descriptors[len(below)]
    try:
        select.select([beyond], [], [], 0)
    except ValueError as error:
        return {"n": len(below), "fd": beyond, "error": f"ValueError: {error}"}
    return None


if __name__ == "__main__":
    sys.exit(main())
