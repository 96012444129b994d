"""The probe: all clients of one experiment in one process, with one epoll loop.

`python -m evolution.lab.probe` reads a plan (clients.plan) as one line of JSON on stdin, carries it out, and
writes what the clients see as JSON lines on stdout, in batches:

    {"t": 0, "kind": "start", "epoch": 5123.25}
    {"t": 0.0012, "kind": "client", "id": "c3", "state": "connecting", "card": …, "label": …, "port": 40112}
    {"t": 0.0013, "kind": "client", "id": "c3", "state": "connected"}

`t` is in seconds on CLOCK_MONOTONIC, which all processes share, counted from the plan's epoch; a
plan without one starts when the probe is ready. The last line has the kind "end". SIGTERM ends everything at
once; so do, when stdin is a pipe, the line `stop` and its end.
"""

import contextlib
import errno
import gc
import heapq
import itertools
import json
import math
import os
import resource
import select
import signal
import sys
import time

from evolution.lab.client import NOTHING, Client, HungUp
from evolution.lab.clients import CARDS, ClientError, check_target, roster
from evolution.lab.conversations import SCRIPTS

BATCH = 0.02
"""Seconds for which events are gathered before they are written."""

BURST = 100
"""Clients that may start before the others get their turn."""

PER_SOURCE = 8000
"""Clients from one source address: above this the search for a free port gets slow (measured)."""


class Loop:
    """Waits for all clients at once: readiness by epoll, times by a heap."""

    def __init__(self, plan, stdin=0, stdout=1):
        self.target = (plan["host"], plan["port"])
        self.epoch = time.monotonic() if plan["epoch"] is None else plan["epoch"]
        self.seconds = plan["seconds"]
        self.upcoming = roster(plan)
        self.next = next(self.upcoming, None)
        self.epoll = select.epoll()
        self.talking = {}  # descriptor: client
        self.timers, self.serial = [], itertools.count()
        self.sources = Sources()
        self.stdin = stdin
        self.out = Output(stdout, self.epoll)
        self.stopping = False
        with contextlib.suppress(PermissionError):  # a file is always ready: epoll refuses it, epoll_ctl(2)
            self.epoll.register(stdin, select.EPOLLIN)
        self.alarm = alarm(self.epoll)

    def now(self):
        """Seconds since the epoch of the plan, to the microsecond."""
        return round(time.monotonic() - self.epoch, 6)

    def emit(self, event):
        self.out.add(event)

    def run(self):
        """Carry out the plan; return when every client has ended."""
        self.emit({"t": 0, "kind": "start", "epoch": self.epoch})
        self.out.flush()
        try:
            while (self.next or self.talking) and not self.stopping and self.now() < self.seconds:
                for descriptor, events in self.epoll.poll(self.patience()):  # sleeps here
                    self.ready(descriptor, events)
                self.fire_timers()
                self.start_due()
                self.out.flush_if_due()
        finally:
            self.finish()

    def patience(self):
        """Return the seconds until something is due."""
        due = [self.seconds]
        if self.next:
            due.append(self.next["at"])
        if self.timers:
            due.append(self.timers[0][0])
        return max(0.0, min(min(due) - self.now(), self.out.patience()))

    def ready(self, descriptor, events):
        client = self.talking.get(descriptor)
        if client:
            self.resume(client, True)
        elif descriptor == self.stdin:
            word = os.read(self.stdin, 4096)
            if not word or b"stop" in word:
                self.stopping = True
        elif descriptor == self.alarm:
            self.stopping = True
        elif descriptor == self.out.descriptor:
            self.out.write()

    def fire_timers(self):
        now = self.now()
        while self.timers and self.timers[0][0] <= now:
            _, _, client, token = heapq.heappop(self.timers)
            if client.token == token:
                self.resume(client, False)

    def start_due(self):
        for _ in range(BURST):
            if not self.next or self.next["at"] > self.now():
                return
            client = Client(self, self.next, SCRIPTS)
            self.next = next(self.upcoming, None)
            self.resume(client, None)

    def resume(self, client, value):
        """Let the script go on until it waits again."""
        client.token += 1
        try:
            mask, until = client.script.send(value)
        except StopIteration:
            return
        except HungUp:
            got = client.answers.got
            client.end("closed", f"the server closed after {got} bytes" if got else "the server closed")
            return
        except OSError as error:
            client.fail(error)
            return
        self.watch(client, mask)
        if until < self.seconds:
            heapq.heappush(self.timers, (until, next(self.serial), client, client.token))

    def watch(self, client, mask):
        """Change the kernel's interest only if it changed. An empty one still reports errors: leave epoll."""
        descriptor = client.sock.fileno()
        self.talking[descriptor] = client
        if mask == client.mask:
            return
        if client.mask == NOTHING:
            self.epoll.register(descriptor, mask)
        elif mask == NOTHING:
            self.epoll.unregister(descriptor)
        else:
            self.epoll.modify(descriptor, mask)
        client.mask = mask

    def forget(self, client):
        """The client closes its socket; close takes it out of epoll too (epoll(7), no copies exist here)."""
        self.talking.pop(client.sock.fileno(), None)

    def bind_source(self, client):
        self.sources.bind(client.sock, int(client.id[1:]) - 1)

    def finish(self):
        """End all that is left, report it, and write out everything."""
        for client in list(self.talking.values()):
            if self.stopping:
                client.end("closed", "the experiment was stopped")
            else:
                client.out_of_time()
        self.emit({"t": self.now(), "kind": "end", "note": "stopped" if self.stopping else "complete"})
        self.out.drain()
        self.epoll.close()


class Sources:
    """Where clients connect from: 127.0.0.1, and beyond PER_SOURCE of them 127.0.0.2 and so on.

    There the ports are our choice, from outside the range from which the kernel chooses (ip(7)): it would
    give one port to two addresses, and a port alone has to name one client.
    """

    def __init__(self):
        self.ports = None

    def bind(self, sock, index):
        """Bind the socket of the client with this index, counted from 0, if it needs it. Raises OSError."""
        if index < PER_SOURCE:
            return
        if self.ports is None:
            with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
                self.ports = iter(range(20_000, int(file.read().split()[0])))
        host = f"127.0.0.{1 + index // PER_SOURCE}"
        for port in self.ports:
            try:
                return sock.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        sock.bind((host, 0))


class Output:
    """Events on their way out: gathered for BATCH seconds, written without ever making the clients wait."""

    def __init__(self, descriptor, epoll):
        self.descriptor, self.epoll = descriptor, epoll
        self.events, self.unsent = [], b""
        self.due = math.inf
        self.registered = False
        os.set_blocking(descriptor, False)

    def add(self, event):
        if not self.events:
            self.due = time.monotonic() + BATCH
        self.events.append(event)

    def patience(self):
        return max(0.0, self.due - time.monotonic())

    def flush_if_due(self):
        if self.patience() == 0.0:
            self.flush()

    def flush(self):
        """Turn the gathered events into lines and write what the pipe takes."""
        lines = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in self.events)
        self.events, self.due = [], math.inf
        self.unsent += lines.encode()
        self.write()

    def write(self):
        """Make one write; while the pipe is full, epoll says when it has room again (pipe(7))."""
        with contextlib.suppress(BlockingIOError):
            self.unsent = self.unsent[os.write(self.descriptor, self.unsent) :]
        if bool(self.unsent) != self.registered:
            change = self.epoll.register if self.unsent else self.epoll.unregister
            change(*(self.descriptor, select.EPOLLOUT) if self.unsent else (self.descriptor,))
            self.registered = bool(self.unsent)

    def drain(self):
        """Write all that is left, waiting for the reader if need be: nothing else is left to do."""
        os.set_blocking(self.descriptor, True)
        self.flush()
        while self.unsent:
            self.write()


def alarm(epoll):
    """Make SIGTERM a readable descriptor in `epoll`; return that descriptor."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    epoll.register(reader, select.EPOLLIN)
    return reader


def read_plan(descriptor):
    """Return the plan from the first line; raise ClientError when it is none."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(descriptor, 65536)
        if not data:
            break
        line += data
    try:
        plan = json.loads(line)
        check_target(plan["host"], plan["port"])
        if not all(group["card"] in CARDS for group in plan["groups"]):
            raise ClientError("expected known cards only")
        plan["seconds"], plan["epoch"]  # must be there
        return plan
    except (ValueError, LookupError, TypeError) as error:
        if isinstance(error, ClientError):
            raise
        raise ClientError(
            f"expected a plan as one line of JSON (see clients.plan), not {line[:80]!r}"
        ) from None


def main():
    """Say that we are ready, read the plan, carry it out. Return the exit status."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    gc.disable()  # a short life, and a collection would be a pause that no client caused
    try:
        Loop(read_plan(0)).run()
    except ClientError as error:
        os.write(1, json.dumps({"kind": "error", "note": str(error)}).encode() + b"\n")
        return 2
    except BrokenPipeError:  # nobody listens any more
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
