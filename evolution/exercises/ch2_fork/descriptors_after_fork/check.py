"""What a fork copies and what it shares: numbers, variables, sockets. And who holds a connection open."""

import select
import socket
import time
from pathlib import Path

from evolution.course.bench_processes import Family
from evolution.course.predict import Right
from evolution.course.sandbox import Limits, Sandbox
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import procfs

PATIENCE = 4.0
SILENCE = 0.4
"""Seconds in which a client listens for the end of its connection."""


class Run(Sandbox):
    """The server of the question, running."""

    port = None

    def told(self, word):
        """Return the rest of the line that begins with `word`. Raises TooSlow."""
        found = self.line(word, PATIENCE)
        if found is None:
            raise TooSlow(f"the server did not get as far as {word!r} within {PATIENCE:g} s")
        return found


def measure():
    """Return the facts, and the Timeline. Raises TooSlow."""
    source = Path(__file__).with_name("host.py").read_text(encoding="utf-8")
    with Run({"host.py": source}, ["host.py"], Limits(seconds=15, tasks=16)) as server:
        server.port = int(server.told("listening ").rpartition(":")[2])
        return watch(server)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def watch(server):
    family, begin = Family(server), time.monotonic()
    now = lambda: round(time.monotonic() - begin, 6)  # noqa: E731
    client = connect(server.port)
    if not family.until(lambda: len(family.holders(client.getsockname()[1])) == 2, PATIENCE):
        raise TooSlow(f"the server did not fork within {PATIENCE:g} s")
    connected, (child,) = now(), family.states()
    inode = next(row.inode for row in procfs.server_sockets(server.port)[0] if row.remote[1] == client.getsockname()[1])
    numbers = [[each.fd for each in procfs.process(pid).descriptors if each.inode == inode] for pid in (server.pid, child)]
    listeners = {row.inode for row in procfs.server_sockets(server.port)[0] if row.state == "LISTEN"}
    facts = {"fd": numbers[1][0], "listeners": len(listeners), "parents_fd": numbers[0][0], "holders": len(family.holders())}
    second = connect(server.port)
    facts["x"] = int(server.told("x "))
    server.told("closed ")
    closed = now()
    client.sendall(b"?")
    facts["answer"] = "yes" if client.recv(100).startswith(b"an answer") else "no"
    answered = now()
    third = connect(server.port)
    third_from = now()
    server.told("ended ")
    ended = now()
    facts["end"] = "yes" if select.select([third], [], [], SILENCE)[0] else "no"
    if server.pid not in family.holders(third.getsockname()[1]):  # a stranger's connection was taken for the sign
        raise TooSlow("the server had closed its copy before it was told to")
    fourth = connect(server.port)
    if not select.select([third], [], [], PATIENCE)[0]:
        raise TooSlow(f"the server did not close within {PATIENCE:g} s")
    over = now()
    for each in (client, second, third, fourth):
        each.close()
    return facts, picture(connected, closed, answered, third_from, ended, over)


def picture(connected, closed, answered, third_from, ended, over):
    """Return a Timeline of the two clients that the question is about."""
    first = [
        span("served", 0, connected, "by the child, a copy in the parent"),
        span("served", connected, closed, "two copies"),
        span("served", closed, answered, "the child's copy only"),
    ]
    second = [
        span("served", third_from, ended, "by the second child"),
        span("idle", ended, over, "the child has ended; the parent's copy is open"),
    ]
    lanes = [
        {
            "id": "c1",
            "label": "first client",
            "card": "polite",
            "spans": first,
            "end": {"state": "done", "t": answered, "note": "answered"},
        },
        {
            "id": "c2",
            "label": "second client",
            "card": "polite",
            "spans": second,
            "end": {"state": "closed", "t": over, "note": "when the parent closed"},
        },
    ]
    sentence = f"The first client was answered {(answered - closed) * 1000:.2g} ms after the parent had closed its copy. The second was told of the end {over - ended:.2g} s after its child had ended: when the parent closed."
    return {"title": "Two connections and their copies", "sentence": sentence, "now": over, "end": over, "lanes": lanes}


def span(state, begin, end, note):
    return {"state": state, "from": begin, "to": end, "note": note}


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    parents = facts.get("parents_fd", 4)
    if guesses["answer"] == "no":
        return Wrong("parent_close_kills_child", "the parent closed, then the child sent: its bytes arrived")
    if guesses["end"] == "yes":
        return Wrong(
            "child_end_closes",
            f"{SILENCE:g} s after the child's end its client had heard nothing; when the parent closed, it did",
        )
    if guesses["x"] == 2:
        return Wrong("shared_variables", f"the child said x = 2; then the parent printed x = {facts['x']}")
    if guesses["fd"] != parents:
        return Wrong("fd_numbers_change", f"/proc/PID/fd: {parents} in the parent, {facts['fd']} in the child")
    if guesses["listeners"] == 2:
        return Wrong(
            "child_has_private_listener",
            f"/proc/net/tcp: {facts['listeners']} row LISTEN; {facts.get('holders', 2)} processes hold that socket",
        )
    if all(guesses[key] == facts[key] for key in guesses):
        return Right(f"/proc/PID/fd: {parents} in the parent, {facts['fd']} in the child, the same socket")
    return Unrecognised()


def marks(guesses):
    """None of the guesses is a moment."""
    return []
