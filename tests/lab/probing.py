"""A probe under test: the process that plays the clients, and the server's side of their connections."""

import json
import os
import selectors
import socket
import subprocess
import sys

from serving import PATIENCE

from evolution.lab.clients import plan

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Probing:
    """A probe as a child process, and the listening socket that its clients are sent to."""

    def __init__(self, crowd, seconds=PATIENCE, listen=True, more=()):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096) if listen else socket.socket()
        if not listen:  # bound but not listening: refused
            self.listener.bind(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.plan = plan("tcp://{}:{}".format(*self.listener.getsockname()), crowd, seconds) | dict(more)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evolution.lab.probe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.process.stdin.write(json.dumps(self.plan).encode() + b"\n")
        self.process.stdin.flush()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.events, self._rest, self._taken = [], b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.listener.close()

    def accept(self):
        sock, _ = self.listener.accept()
        sock.settimeout(PATIENCE)
        return sock

    def request(self):
        """Accept one client and read until its request is complete: (socket, bytes)."""
        sock, data = self.accept(), b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        return sock, data

    def until(self, state, count=1):
        """Read on until `count` events of this state (or kind) have come; return them."""
        while True:
            found = [each for each in self.events if state in (each.get("state"), each["kind"])]
            if len(found) >= count:
                return found
            assert self.selector.select(PATIENCE), f"never told: {state}; so far {self.states()}"
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, f"ended without {state}; so far {self.states()}"
            *lines, self._rest = (self._rest + data).split(b"\n")
            self.events += map(json.loads, lines)

    def states(self, client="c1"):
        return [each["state"] for each in self.events if each.get("id") == client]

    def finish(self):
        """Read to the end; return the exit status."""
        self.until("end")
        return self.process.wait(PATIENCE)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
