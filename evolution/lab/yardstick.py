"""The process that measures a server: a client that also reads /proc, so that nothing else disturbs either.

`python -P -m evolution.lab.yardstick` reads one line of JSON, {"port", "pid", "steps": [[name, options]]},
carries the steps out in their order, and writes a line of JSON for each: what was found, or {"error"}. The
steps are the functions below that take a Target; times are seconds, memory is KiB.
"""

import gc
import json
import os
import select
import socket
import statistics
import struct
import sys
import time
from contextlib import contextmanager
from typing import NamedTuple

from evolution.lab import load
from evolution.lab.client import Answers
from evolution.lab.footprint import count_threads, members, memory, more_descriptors, processor

DEADLINE = 2.0
"""Seconds after which a client is said not to be served."""

QUIET = 0.25
"""Seconds without an answer after which no more are expected, when many have asked at once."""

GOODBYE = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BIG = b"GET /big?bytes=%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BIGGER_THAN_BUFFERS = 20_000_000
"""Bytes: loopback's buffers take about 4 MB of an answer that nobody reads."""

CROWD_QUIET, CROWD_DEADLINE = 1.2, 3.0
"""The same for a crowd: whoever found the accept queue full knocks again after a second (tcp(7))."""

PER_SOURCE = 5000
"""Clients from one source address: each has only some 28,000 ports, and the search for a free one slows."""


class Target(NamedTuple):
    """The server that is measured."""

    port: int
    pid: int


# --- the steps ---


def alone(target, seconds=0.3, most=300):
    """How long a client waits for its answer when there is nobody else: connect, ask, read, close."""
    times, until = [], time.monotonic() + seconds
    ask(target)  # the first one finds cold caches
    while len(times) < most and (time.monotonic() < until or len(times) < 5):
        times.append(ask(target))
    return summary(times)


def beside_silent(target, silent=1):
    """The same while `silent` clients are connected and say nothing."""
    with clients(target, silent):
        return polite(target)


def beside_slow(target):
    """The same while one client reads nothing of a big answer; {"error"} when there is no big answer."""
    with clients(target, 1, window=4096) as [slow]:
        slow.sendall(BIG % BIGGER_THAN_BUFFERS)
        answers = Answers()
        answers.feed(slow.recv(2048))
        if (answers.total or 0) < BIGGER_THAN_BUFFERS:
            return {"error": "it has no big answer to give"}
        return polite(target)


def hold(target, connections=20, more=500):
    """What connections cost that have asked once and are silent now: memory, processes, threads.

    Where each connection has a process or a thread of its own, the growth by `connections` is measured, and
    by `more` otherwise. Where fewer are served at a time than connected, each of them holds a process.
    """
    before = members(target.pid)
    empty, few = memory(before), sum(map(count_threads, before))
    with clients(target, connections) as some:
        held = ask_all(some)
        full = members(target.pid)
        threads = sum(map(count_threads, full))
        found = {"connections": connections, "held": held, "processes": len(full), "threads": threads}
        if held < connections:
            workers = full[1:] or full
            return found | {"kib": round(memory(workers) / max(held, 1), 1), "each": "process"}
        if threads - few >= connections // 2:
            kind = "process" if len(full) > len(before) else "thread"
            return found | {"kib": round((memory(full) - empty) / connections, 1), "each": kind}
        base = memory(full)
        with clients(target, more) as others:
            held = ask_all(others)
            kib = (memory(members(target.pid)) - base) / max(held, 1)
            return found | {"kib": round(max(kib, 0.0), 2), "each": "connection"}


def keep_alive(target, connections=16, seconds=0.5):
    """The server's processor time for a request on connections that stay: the median of five goes."""
    load.ask_round(target.port, connections, seconds / 10)
    goes = [
        load.ask_round(target.port, connections, seconds / 5, lambda: processor(target.pid)) for _ in range(5)
    ]
    costs = sorted(go.served / go.requests * 1e6 for go in goes)
    return {
        "us": round(costs[2], 2),
        "low": round(costs[1], 2),
        "high": round(costs[3], 2),
        "requests": sum(go.requests for go in goes),
        "connections": connections,
    }


def throughput(target, connections=64, seconds=1.0):
    """Answers a second under load, and whether the load's own core was the limit."""
    seen = load.generate(target.port, connections, seconds, lambda: processor(target.pid))
    found = seen._asdict() | {"connections": connections, "per_second": round(seen.per_second)}
    return found | {"us": round(seen.served / seen.requests * 1e6, 2), "saturated": seen.saturated}


def crowd(target, connections=1100):
    """So many clients at once, each with one request: how many were answered in CROWD_DEADLINE."""
    limit = more_descriptors(members(target.pid))
    if connections + 100 > limit:
        return {"error": f"the limit of descriptors here is {limit:,}", "connections": connections}
    before = memory(members(target.pid))
    with clients(target, connections, patient=False) as some:
        answered = ask_all(some, CROWD_QUIET, CROWD_DEADLINE)
        kib = memory(members(target.pid)) - before
        late = polite(target, most=5)
    found = {"connections": connections, "answered": answered, "mib": round(kib / 1024, 1)}
    return found | {"late": late["median"], "alive": bool(members(target.pid))}


STEPS = {
    step.__name__: step for step in (alone, beside_silent, beside_slow, hold, keep_alive, throughput, crowd)
}


# --- clients ---


def ask(target, timeout=DEADLINE):
    """One polite client; return its seconds. Raises TimeoutError and other OSErrors."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", target.port), timeout) as client:
        client.sendall(GOODBYE)
        answers, complete = Answers(), 0
        while not complete:
            left = began + timeout - time.monotonic()
            if left <= 0:
                raise TimeoutError
            client.settimeout(left)
            data = client.recv(65536)
            complete = answers.feed(data) if data else answers.end_of_stream()
            if not data and not complete:
                raise ConnectionResetError("the connection ended without an answer")
    return time.monotonic() - began


def polite(target, seconds=0.3, most=50):
    """Polite clients one after the other: summary, or median None and how long the first in vain waited."""
    times, began = [], time.monotonic()
    try:
        while len(times) < most and (time.monotonic() - began < seconds or len(times) < 3):
            times.append(ask(target, DEADLINE - sum(times[:3])))
    except OSError as error:
        waited = round(time.monotonic() - began, 3)
        why = "timed out" if isinstance(error, TimeoutError) else os.strerror(error.errno or 0)
        return {"median": None, "waited": waited, "why": why, "served": len(times)}
    return summary(times)


@contextmanager
def clients(target, count, window=None, patient=True):
    """Open so many connections, in order; close them all at the end. `patient` waits for each handshake."""
    some = []
    try:
        for index in range(count):
            client = socket.socket()
            some.append(client)
            if window:  # before connect: it is agreed in the handshake (tcp(7))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            if count > PER_SOURCE:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.bind((f"127.0.0.{2 + index // PER_SOURCE}", 0))
            client.settimeout(DEADLINE)
            client.setblocking(patient)
            client.connect_ex(("127.0.0.1", target.port))  # an error is told again when it is used
        yield some
    finally:
        for client in some:
            if count > 100:  # with a reset: thousands in TIME_WAIT would stay for a minute (socket(7))
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()


def ask_all(some, quiet=QUIET, deadline=DEADLINE):
    """Send one request on each connection; return how many were answered when no more answers come."""
    waiting = {client.fileno(): (client, Answers()) for client in some}
    poller = select.epoll()
    for number in waiting:
        poller.register(number, select.EPOLLOUT)
    answered, began = 0, time.monotonic()
    last = began
    while waiting and (now := time.monotonic()) - last < quiet and now - began < deadline:
        for number, events in poller.poll(0.02):
            client, answers = waiting[number]
            try:
                if events & select.EPOLLOUT:
                    client.send(load.REQUEST)
                    poller.modify(number, select.EPOLLIN)
                    continue
                data = client.recv(65536)
            except OSError:
                data = b""
            if not data or answers.feed(data):
                answered += bool(data)
                last = time.monotonic()
                poller.unregister(number)
                del waiting[number]
    poller.close()
    return answered


def summary(times):
    """Median and the middle half of some times, in seconds."""
    low, middle, high = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return {"median": round(middle, 7), "low": round(low, 7), "high": round(high, 7), "n": len(times)}


def main():
    """Carry out the steps that stdin asks for. Return the exit status."""
    plan = json.loads(sys.stdin.readline())
    target = Target(plan["port"], plan["pid"])
    more_descriptors([])
    gc.disable()
    for name, options in plan["steps"]:
        try:
            found = STEPS[name](target, **options)
        except OSError as error:
            found = {"error": "no answer in time" if isinstance(error, TimeoutError) else str(error)}
        print(json.dumps({"step": name, **found}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
