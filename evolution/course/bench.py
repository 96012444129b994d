"""The bench on which an answer is tried: its process in the sandbox, clients that talk to it, and /proc.

A check reads like a conversation:

    with bench.serve() as server:
        client = server.connect()
        client.send(b"one\\n")
        reply = client.hear()          # Reply(text=b"returned b'one'")
        if reply.silent: ...           # and why: asleep, spinning, closes
"""

import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from evolution.course.sandbox import Limits, Sandbox
from evolution.course.talk import CHEW, Client, nap_of, shown
from evolution.course.verdict import Crashed, TooSlow, Unrecognised
from evolution.lab import procfs

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

    def serve(self, *arguments, limits=Limits(), ready=5.0):  # noqa: B008 — frozen
        """Start the answer inside the exercise's host.py and wait until it listens; return a Server."""
        return Server(self, arguments, limits, ready)

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


class Server:
    """The answer, running. Leaving the `with` block ends it and everything it started."""

    def __init__(self, bench, arguments, limits, ready):
        self.bench = bench
        self.clients = []
        files = {"answer.py": bench.answer, "host.py": bench.exercise.read("host.py")}
        self.sandbox = Sandbox(files, ["host.py", *arguments], limits, protect=bench.protect)
        bench.defences = self.sandbox.defences
        try:
            self.port = self._wait_until_it_listens(ready)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        for client in self.clients:
            client.close()
        report = self.sandbox.stop()
        self.bench.runs.append(report)
        self.bench.output += self.sandbox.output

    def connect(self):
        """Return a connected Client. The kernel shakes hands by itself: this does not wait for accept."""
        client = Client(self)
        self.clients.append(client)
        return client

    @property
    def pid(self):
        return self.sandbox.pid

    def process(self):
        """Return procfs.Process of the answer's main process, None when it is gone."""
        return procfs.process(self.pid)

    def unread(self, port):
        """Return how many bytes of the client at `port` wait unread; None when there is no such socket."""
        for row in procfs.server_sockets(self.port)[0]:
            if row.remote[1] == port:
                return row.rx
        return None

    def where(self):
        """Return what it is doing now: `asleep in recv(4), your line 7: …`, as far as that can be seen."""
        found = self.process()
        if found is None:
            return self.how_it_ended()
        thread = found.threads[0] if found.threads else None
        call = thread.call.text if thread and thread.call else None
        doing = f"asleep in {call}" if call and found.state == "S" else f"running (state {found.state})"
        line = self.line_of(self.sandbox.stacks())
        return f"{doing}; {line}" if line else doing

    def line_of(self, traceback):
        """Return the learner's line that a traceback or a faulthandler dump names, "" when it names none."""
        numbers = re.findall(r'answer\.py", line (\d+)', traceback)
        if not numbers:
            return ""
        # A traceback has the most recent call last, faulthandler has it first.
        number = numbers[0] if "most recent call first" in traceback else numbers[-1]
        return self.bench.source_line(int(number))

    def traceback(self):
        """Return evidence for the last exception on stderr: its own words and the learner's line."""
        title = "Traceback (most recent call last):"
        self.sandbox.until(
            lambda: re.search(
                title.replace("(", r"\(").replace(")", r"\)") + r"\n(.+\n)*\w", self.sandbox.errors
            ),
            0.5,
        )
        last = self.sandbox.errors.rpartition(title)[2]
        words = [
            line
            for line in last.splitlines()
            if re.match(r"\w[\w.]*(Error|Exception|Exit|Interrupt)?\b", line)
        ]
        line = self.line_of(last)
        return tuple(filter(None, (words[-1] if words else "", line)))

    def how_it_ended(self):
        """Return one sentence on the end of the process."""
        report = self.sandbox.wait(1.0)
        if report is None:
            return "still running"
        company = f"; {report.company} more processes of yours were still there and have been removed"
        return self._end_of(report) + (company if report.company else "")

    def _end_of(self, report):
        limits = self.sandbox.limits
        why = {
            "tasks": f"it was stopped: {report.tasks} processes and threads, {limits.tasks} are allowed",
            "memory": f"it was stopped: it used {report.mib:.0f} MiB of memory, {limits.mib} are allowed",
            "output": f"it was stopped: it had printed {report.output:,} bytes, and went on",
            "disk": f"it was stopped: it had filled more than {limits.disk_mib} MiB of disk",
            "time": f"it was stopped after {limits.seconds:g} s",
        }.get(report.why)
        if why:
            return why
        if report.status is None:
            return "nobody can tell how it ended"
        if report.status < 0:
            return f"it ended by signal {-report.status}"
        return f"it ended with exit status {report.status}"

    def crashed(self, *before):
        """Return a Crashed with everything known about the end of the process.

        Its time was up while we were still asking: every question has a deadline, so the machine was slow.
        """
        report = self.sandbox.wait(1.0)
        if report and report.why == "time":
            return TooSlow(*before, self.how_it_ended())
        return Crashed(*before, self.how_it_ended(), *self.traceback())

    def _wait_until_it_listens(self, seconds):
        address = self.sandbox.line("listening ", seconds)
        if address is None:
            if not self.sandbox.alive:
                raise self.crashed("expected the program to load and listen, but it ended first")
            found = self.process()
            doing = self.where()
            if found and found.state == "R" and found.cpu_ns < CHEW * 1e9:
                raise TooSlow(
                    f"expected the program to listen within {seconds:g} s; "
                    f"it had {found.cpu_ns / 1e6:.0f} ms of processor time"
                )
            raise Unrecognised(
                f"expected the program to load and listen within {seconds:g} s", f"it is {doing}"
            )
        port = int(address.rpartition(":")[2])
        if not self.holds_listener(port):
            if not self.sandbox.alive:
                raise TooSlow(f"the program listened on port {port} and ended before anyone could look")
            raise Unrecognised(
                f"the program said that it listens on port {port}, but /proc shows no such socket of its own"
            )
        return port

    def listeners(self):
        """Return the ports on which processes of the answer listen, one for each socket, from /proc."""
        inodes = {}
        for process in procfs.tree(self.pid):
            for each in process.descriptors or []:
                if each.kind == "listener":
                    inodes[each.inode] = each.address[1]
        return sorted(inodes.values())

    def holds_listener(self, port):
        """True when /proc shows it. A table that changes while it is read may lack a row: so look again."""
        return any(port in self.listeners() or time.sleep(0.05) for _ in range(20))


__all__ = ["Bench", "Client", "Server", "nap_of", "shown"]
