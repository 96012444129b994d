"""Load: many keep-alive connections that ask again as soon as they have an answer.

`generate` uses wrk where it is installed, else `ask_round`, an epoll client of the course's own; the result
says which, and how much of a core it took: near 1.0 the client was the limit, and not the server.
"""

import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import time
from typing import NamedTuple

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

SATURATED = 0.9
"""Share of a core from which on a load generator is called the limit."""

PATIENCE = 5.0
"""Seconds for the very first answer: on a busy machine it may come later than the run should have ended."""

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Load(NamedTuple):
    """What one run saw; latencies in seconds."""

    requests: int
    seconds: float
    median: float
    p99: float
    errors: int
    share: float
    """The generator's own part of a core, 0 to 1."""
    by: str
    """"wrk" or "the course's client"."""
    served: float = float("nan")
    """What the meter rose by meanwhile."""

    @property
    def per_second(self):
        return self.requests / self.seconds

    @property
    def saturated(self):
        """Whether the generator, and not the server, was the limit."""
        return self.share >= SATURATED


def generate(port, connections=64, seconds=1.0, meter=lambda: 0.0):
    """Load 127.0.0.1:port and return a Load. Raises OSError when nobody answers.

    `meter` is read before and after: the server's processor time, for whoever wants it.
    """
    if shutil.which("wrk"):
        return wrk(port, connections, seconds, meter)
    return ask_round(port, connections, seconds, meter)


def wrk(port, connections, seconds, meter):
    """One run of wrk, which counts whole seconds only."""
    first = meter()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, timeout=seconds + 20
    )
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", done.stdout)
    if not total or not int(total[1]):
        raise OSError(f"expected answers to wrk, not {(done.stdout + done.stderr)[-200:]!r}")
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", done.stdout)))
    lags = [_latency(done.stdout, share) for share in ("50%", "99%")]
    return Load(
        int(total[1]), float(total[2]) * UNITS[total[3]], *lags, errors, used / took, "wrk", meter() - first
    )


def _latency(text, share):
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s|m)", text)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")


def ask_round(port, connections, seconds, meter=lambda: 0.0):
    """The course's own client: one process, one epoll. Raises OSError when nobody answers.

    All answers are taken to be as long as the first one. The meter is read while all are connected, so that
    processes that end with their connection are in it.
    """
    poller, clients, lags, errors = select.epoll(), {}, [], 0
    try:
        for _ in range(connections):
            client = socket.create_connection(("127.0.0.1", port), 2.0)
            clients[client.fileno()] = client
            poller.register(client, select.EPOLLIN)
        length = _length_of_answer(next(iter(clients.values())))
        asked, missing = {}, dict.fromkeys(clients, length)
        first = meter()
        began, cpu = time.monotonic(), time.thread_time()
        for number, client in clients.items():
            asked[number] = time.monotonic()
            client.sendall(REQUEST)
        while clients and time.monotonic() - began < (seconds if lags else PATIENCE):
            for number, _ in poller.poll(0.05):
                client = clients[number]
                try:
                    data = client.recv(65536)
                    missing[number] -= len(data)
                    if data and missing[number] <= 0:
                        now = time.monotonic()
                        lags.append(now - asked[number])
                        missing[number], asked[number] = length, now
                        client.sendall(REQUEST)
                except OSError:
                    data = b""
                if not data:
                    errors += 1
                    clients.pop(number).close()
        took, used = time.monotonic() - began, time.thread_time() - cpu
        served = meter() - first
    finally:
        poller.close()
        for client in clients.values():
            client.close()
    if not lags:
        raise OSError(f"expected answers from port {port}, but none of {connections} clients got one")
    slowest = statistics.quantiles(lags, n=100)[98] if len(lags) > 1 else lags[0]
    middle = statistics.median(lags)
    return Load(len(lags), took, middle, slowest, errors, used / took, "the course's client", served)


def _length_of_answer(client):
    client.sendall(REQUEST)
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := client.recv(65536)):
            raise ConnectionResetError("expected an answer, the server ended the connection")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    told = re.search(rb"(?i)^content-length: *(\d+)", head, re.M)
    if not told:
        raise OSError("expected an answer with a Content-Length")
    while len(body) < int(told[1]):
        body += client.recv(65536)
    return len(head) + 4 + int(told[1])
