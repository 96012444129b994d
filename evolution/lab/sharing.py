"""Several workers behind one port: start them in one of six ways, send clients, count who was woken.

    server = lab.share("exclusive")
    lab.deal(server, 20)              or, all in one: lab.deal("exclusive", 20)

A worker was woken when its count of voluntary context switches has moved (proc_pid_status(5)): it slept,
ran, and went to sleep again. Before each client all workers are asleep, so the count is exact.
"""

import socket
import sys
import time
from collections import Counter
from pathlib import Path

from evolution.lab import launch, procfs

PROGRAM = Path(__file__).with_name("specimens") / "one_port.py"
WAYS = ("accept", "poll", "epoll", "exclusive", "mutex", "reuseport")
SETTLE = 2.0
"""Seconds in which all workers must fall asleep."""


def share(way, workers=4):
    """Start `workers` processes behind one port; return the Server. `way` is one of WAYS, see one_port.py.

    Raises ValueError for another way.
    """
    if way not in WAYS:
        raise ValueError(f"expected a way to share the port, one of {', '.join(WAYS)}; not {way!r}")
    command = [sys.executable, str(PROGRAM), way, str(workers)]
    return launch.run(command, model=f"one port, {way}")


class Deal:
    """Who got the clients of one `deal`, and who was woken for them."""

    def __init__(self, workers):
        self.served = Counter(dict.fromkeys(workers, 0))
        """{pid of a worker: clients it has answered}."""
        self.woken = Counter(dict.fromkeys(workers, 0))
        """{pid of a worker: clients for which it was woken}."""
        self.waiting = []
        """Sockets of clients that are connected and have no answer."""
        self.reset = self.late = 0
        self.clients = 0

    def look(self, patience=0.5):
        """Look what has become of the clients that waited; return this Deal."""
        end = time.monotonic() + patience
        still = []
        for sock in self.waiting:
            sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = sock.recv(100)
            except TimeoutError:
                still.append(sock)
                continue
            except ConnectionError:
                data = b""
            self.late, self.reset = self.late + bool(data), self.reset + (not data)
            sock.close()
        self.waiting = still
        return self

    def __del__(self):
        for sock in self.waiting:
            sock.close()

    def __repr__(self):
        most = max(*self.served.values(), 1)
        lines = []
        for pid, count in self.served.items():
            bar = "█" * round(24 * count / most)
            lines.append(f"worker {pid}: {bar:24} {count} served, woken {self.woken[pid]} times")
        answered = sum(self.served.values())
        if answered and not (self.waiting or self.reset or self.late):
            lines.append(f"{sum(self.woken.values()) / self.clients:.1f} workers woken for each client")
        rest = {"without an answer": len(self.waiting), "answered late": self.late, "reset": self.reset}
        lines += [f"{count} of {self.clients} clients {words}" for words, count in rest.items() if count]
        return "\n".join(lines)


def deal(server, clients=20, patience=0.3):
    """Send `clients` one after the other, each when all workers sleep; return the Deal.

    `server` is what `share` gave, or one of WAYS: then four workers are started for it and stopped again.
    A client that has no answer after `patience` s stays connected; the next one comes all the same.
    """
    if isinstance(server, str):
        with share(server) as started:
            return deal(started, clients, patience)
    pids = [each.pid for each in server.tree()[1:]]
    dealt = Deal(pids)
    for _ in range(clients):
        before = _asleep(pids)
        sock = socket.create_connection((server.address.host, server.address.port), 5)
        sock.sendall(b"?\n")
        sock.settimeout(patience)
        dealt.clients += 1
        try:
            dealt.served[int(sock.recv(100))] += 1
            sock.close()
        except TimeoutError:
            dealt.waiting.append(sock)
        except (ConnectionError, ValueError):
            dealt.reset += 1
            sock.close()
        after = _asleep(pids)
        for pid in pids:
            dealt.woken[pid] += after.get(pid) != before.get(pid)
    return dealt


def _asleep(pids):
    """Wait until no worker runs; return {pid: voluntary context switches}."""
    end, last = time.monotonic() + SETTLE, None
    while time.monotonic() < end:
        found = [process for pid in pids if (process := procfs.process(pid)) and process.state not in "ZX"]
        now = {process.pid: process.voluntary for process in found}
        if all(process.state in "ST" for process in found) and now == last:
            return now
        last = now
        time.sleep(0.001)
    return last or {}
