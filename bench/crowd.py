"""Clients by the thousand, in a process of their own, told what to do over a pipe.

    with Crowd(port) as crowd:
        crowd.tell("open 5000")              # connect, say nothing
        crowd.tell("speak")                  # each asks once and is answered: how many were
        crowd.tell("burst 64 0.5")           # 64 of them ask together, again and again: how many answers
        crowd.tell("polite 100 1.0")         # newcomers ask, a connection for each: how long it took

`python -m bench.crowd PORT` is the process; every line it reads is a command, every line it prints JSON.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench import machine

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
A_SOURCE = 8000
"""Connections from one address: with more of them the kernel searches long for a free port."""

PATIENCE = 60.0
PAUSE = 0.2
"""Seconds between two requests of a polite client."""


class Crowd:
    """The process, seen from outside. Raises RuntimeError when it ends or takes longer than PATIENCE."""

    def __init__(self, port, number=0, core=None):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.crowd", str(port), str(number)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=partial(os.sched_setaffinity, 0, {machine.LOAD_CORE if core is None else core}),
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait()

    def begin(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def finish(self):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise RuntimeError(f"expected an answer from the clients within {PATIENCE:g} s")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("expected an answer from the clients, they ended; see stderr")
        return json.loads(line)

    def tell(self, command):
        self.begin(command)
        return self.finish()


class Clients:
    """The clients themselves. Each crowd has source addresses of its own: 127.0.NUMBER.1, .2, …"""

    def __init__(self, port, number):
        self.address = ("127.0.0.1", port)
        self.number = number
        self.socks = []

    def open(self, count):
        for _ in range(int(count)):
            self.socks.append(self._connected(len(self.socks) // A_SOURCE + 1))
        return len(self.socks)

    def stall(self):
        """One who asks for much and does not read."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(self.address)
        sock.sendall(b"GET /big?bytes=20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        self.socks.append(sock)
        return 1

    def speak(self):
        """Every connection asks once; return how many got a 200."""
        good = 0
        for start in range(0, len(self.socks), 500):
            some = self.socks[start : start + 500]
            for sock in some:
                sock.sendall(REQUEST)
            good += sum(sock.recv(4096).startswith(b"HTTP/1.1 200") for sock in some)
        return good

    def burst(self, count, seconds):
        some = self.socks[: int(count)]
        answers, end = 0, time.monotonic() + float(seconds)
        while time.monotonic() < end:
            for sock in some:
                sock.sendall(REQUEST)
            for sock in some:
                sock.recv(4096)
            answers += len(some)
        return answers

    def polite(self, count, seconds):
        """Return {"took": [seconds, sorted], "waiting": how many were never answered}."""
        began = time.monotonic()
        end = began + float(seconds)
        poller, asking, took = select.epoll(), {}, []
        due = [began + PAUSE * n / int(count) for n in range(int(count))]
        while (now := time.monotonic()) < end:
            while due and due[0] <= now:
                due.pop(0)
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(self.address)
                asking[sock.fileno()] = sock, now
                poller.register(sock, select.EPOLLOUT)
            for fd, events in poller.poll(max(0, min([end, *due[:1]]) - now)):
                sock, since = asking[fd]
                if events == select.EPOLLOUT:
                    sock.send(LAST)
                    poller.modify(fd, select.EPOLLIN)
                    continue
                try:
                    good = sock.recv(4096).startswith(b"HTTP/1.1 200")
                except OSError:
                    good = False
                if good:
                    took.append(time.monotonic() - since)
                    due.append(time.monotonic() + PAUSE)
                poller.unregister(fd)
                sock.close()
                del asking[fd]
        for sock, _ in asking.values():
            sock.close()
        return {"took": sorted(took), "waiting": len(asking)}

    def _connected(self, host):
        sock = socket.socket()
        sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: the port is chosen by connect
        sock.settimeout(PATIENCE)
        sock.bind((f"127.0.{self.number}.{host}", 0))
        sock.connect(self.address)
        return sock


def main():
    machine.more_descriptors()
    clients = Clients(*map(int, sys.argv[1:]))
    for line in sys.stdin:
        name, *args = line.split()
        with suppress(BrokenPipeError):  # nobody hears it any more; the input has ended too
            print(json.dumps(getattr(clients, name)(*args)), flush=True)


if __name__ == "__main__":
    main()
