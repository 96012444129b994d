"""A test of servers is tested with servers: what does it say of each, and what did it do to find out?"""

import secrets
import socket
import threading
import time
from contextlib import suppress

from evolution.course.verdict import Unrecognised, Wrong

LONGEST = 4.0
"""Seconds for one call: 2 s of waiting for an answer that does not come, and room."""

THINK = 0.9
"""Seconds a slow server thinks before each answer."""

KINDS = ("sequential", "threads", "slow, threads", "sequential, slow")


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    kinds = sorted([*KINDS, secrets.choice(KINDS[:2])], key=lambda _: secrets.randbelow(1000))
    with Servers(kinds) as servers, bench.serve() as host:
        clients = [host.connect() for _ in servers.all]
        for client, server in zip(clients, servers.all, strict=True):
            client.sock.sendall(b"%d" % server.port)
        end = time.monotonic() + LONGEST
        replies = [client.hear(max(0.05, end - time.monotonic()), hold=True) for client in clients]
        found = {}
        for reply, server in zip(replies, servers.all, strict=True):
            found.setdefault(server.kind, []).append((reply, server))
        judge(host, found)
    return tuple(f"a {server.kind} server: your test says {server.concurrent}" for server in servers.all)


def judge(host, found):
    """Raises what the answers of the test betray; sequential servers first."""
    for kind in KINDS:
        for reply, server in found[kind]:
            story = (f"a {kind} server: {server.story()}",)
            if reply.text is None and not host.sandbox.alive:
                raise host.crashed(*story)
            if reply.text is None:
                if not server.concurrent:
                    raise Wrong("never_gives_up", *story, f"no verdict after {LONGEST:g} s; {host.where()}")
                raise Unrecognised(*story, f"no verdict after {LONGEST:g} s; {host.where()}")
            said = reply.text.decode(errors="replace")
            if said.startswith("raised"):
                raise host.crashed(*story, f"your test {said}") if not host.sandbox.alive else _raised(host, story, said)
            said = said.removeprefix("returned ")
            story = (*story, f"your test says {said}, expected {server.concurrent}")
            if said == str(server.concurrent):
                continue
            if said not in ("True", "False"):
                raise Unrecognised(*story)
            if server.concurrent:
                raise Wrong("sleeps_and_hopes", *story) if server.think else Unrecognised(*story)
            if not server.asked:
                raise Wrong("connect_is_service", *story)
            raise Wrong("one_client" if server.most == 1 and server.came == 1 else "in_order_only", *story)


def _raised(host, story, said):
    from evolution.course.verdict import Crashed

    return Crashed(*story, f"your test {said}", *host.traceback())


class Servers:
    """A few small servers in threads of the checker."""

    def __init__(self, kinds):
        self.all = [Server(kind) for kind in kinds]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for server in self.all:
            server.close()


class Server:
    """Answers a line with a line; `concurrent` or one client after the other. Remembers what happened."""

    def __init__(self, kind):
        self.kind = kind
        self.concurrent = "threads" in kind
        self.think = THINK if "slow" in kind else 0.0
        self.events, self.open, self.most, self.came = [], 0, 0, 0
        self._lock, self._socks = threading.Lock(), []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def asked(self):
        """Whether any client has said something."""
        with self._lock:
            return any(event.endswith(" asks") for event in self.events)

    def story(self):
        with self._lock:
            events = self.events[:14]
        return ", ".join(events) or "nobody came"

    def close(self):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._socks:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _note(self, words, change=0):
        with self._lock:
            self.events.append(words)
            self.open += change
            self.most = max(self.most, self.open)

    def _accept(self):
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._socks.append(sock)
                name = chr(ord("A") + self.came % 26)
                self.came += 1
                self._note(f"{name} accepted", 1)
                if self.concurrent:
                    threading.Thread(target=self._serve, args=(sock, name), daemon=True).start()
                else:
                    self._serve(sock, name)

    def _serve(self, sock, name):
        with suppress(OSError), sock, sock.makefile("rb") as lines:
            while lines.readline(1000):
                self._note(f"{name} asks")
                time.sleep(self.think)
                sock.sendall(b"hello\n")
                self._note(f"{name} answered")
        self._note(f"{name} gone", -1)
