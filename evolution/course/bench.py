"""The bench on which an answer is tried: its process in the sandbox, clients that talk to it, and /proc.

A check reads like a conversation:

    with bench.serve() as server:
        client = server.connect()
        client.send(b"one\\n")
        reply = client.hear()          # Reply(text=b"returned b'one'")
        if reply.silent: ...           # and why: asleep, spinning, closes

What is no server runs in `bench.run()`; see runs.py for both.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor

from evolution.course.runs import Run, Server
from evolution.course.sandbox import Limits
from evolution.course.talk import Client, Spins, nap_of, shown

WORDS = (
    *("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron"),
    *("inlet", "jetty", "kiosk", "lilac", "maple", "north", "ocean", "pearl"),
)


class Bench:
    """What a check gets: the answer's text and the means to try it. `answer` is the learner's source."""

    def __init__(self, exercise, answer, protect=()):
        self.exercise, self.answer, self.protect = exercise, answer, protect
        self.output = ""
        self.runs = []
        """Report of each run so far."""
        self.defences = {}

    def word(self):
        """Return a random word as bytes, new in each run, so that no answer can know it beforehand."""
        return f"{secrets.choice(WORDS)}{secrets.randbelow(9000) + 1000}".encode()

    def run(self, *arguments, stdin=b"", limits=Limits(), linger=0.0):  # noqa: B008 — frozen
        """Start the exercise's host.py with these arguments; return a Run."""
        return Run(self, arguments, limits, stdin, linger)

    def serve(self, *arguments, limits=Limits(), ready=5.0, linger=0.0, asks=True):  # noqa: B008
        """Start the answer inside the exercise's host.py and wait until it listens; return a Server."""
        return Server(self, arguments, limits, ready, linger=linger, asks=asks)

    def together(self, *probes):
        """Run probes at the same time, each with a server of its own; return their results.

        Raises the first finding in the order of the probes, not of time: the same answer, the same verdict.
        """
        with ThreadPoolExecutor(len(probes)) as pool:
            futures = [pool.submit(probe) for probe in probes]
        return [future.result() for future in futures]

    def source_line(self, number):
        """Return `your line 7: data = conn.recv(10)`."""
        lines = self.answer.splitlines()
        text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        return f"your line {number}: {text}"


__all__ = ["Bench", "Client", "Run", "Server", "Spins", "nap_of", "shown"]
