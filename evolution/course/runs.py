"""An answer that runs: its process in the sandbox, what it prints, its family, and how it ends.

with bench.run("8", stdin=b"…") as run:      a program of any kind
    port = run.expect("ready ", 2.0)         the rest of a line it prints; a Finding when none comes
    run.family.until(lambda: len(run.family.children()) == 3, 2.0)
    run.signal(signal.SIGTERM)
    report = run.wait(2.0)                   None while it runs; then .status, .tasks (the most), .company

with bench.serve() as server:                the same, and it listens on TCP: connect() returns a Client
"""

import os
import re
import time
from contextlib import suppress

from evolution.course import slips
from evolution.course.bench_processes import Family
from evolution.course.looks import Looks
from evolution.course.sandbox import Limits, Sandbox
from evolution.course.talk import CHEW, Client
from evolution.course.verdict import Crashed, Finding, TooSlow, Unrecognised
from evolution.lab import procfs


class Run:
    """The exercise's host.py with the answer beside it. Leaving the `with` block ends it and what it started.

    `stdin` is all that it can read there. What it leaves behind at its end lives `linger` seconds more, so
    that it can be looked at. With `asks`, host.py has given SIGUSR1 to faulthandler and may be asked where
    it is. Raises SandboxError when it cannot be started.
    """

    port = None

    def __init__(self, bench, arguments=(), limits=Limits(), stdin=b"", linger=0.0, asks=True):  # noqa: B008 — frozen
        self.bench, self.asks = bench, asks
        files = {"answer.py": bench.answer, "host.py": bench.exercise.read("host.py")}
        options = {"protect": bench.protect, "stdin": stdin, "linger": linger}
        self.sandbox = Sandbox(files, ["host.py", *arguments], limits, **options)
        bench.defences = self.sandbox.defences
        self.clients = []
        self.family = Family(self)
        self.looks = Looks(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.looks.end()
        lanes = self._conversation(error) if isinstance(error, Finding) else []
        self.close()
        if isinstance(error, Finding):
            error.slip = error.slip or self._slip()
            with suppress(Exception):  # a picture that cannot be drawn must not change a verdict
                title = f"{self.bench.exercise.title}: what the check saw"
                error.timeline = self.looks.timeline(lanes, title)

    def _conversation(self, finding):
        """Return the ids of the clients a finding is about: cited in it, still there, or the last one."""
        said = {getattr(line, "client", None) for line in finding.evidence}
        cited = [each.id for each in self.clients if each.id in said]
        there = [each.id for each in self.clients if each.open]
        return cited or there or [each.id for each in self.clients[-1:]]

    def close(self):
        self.looks.end()
        for client in self.clients:
            client.close()
        self.bench.runs.append(self.sandbox.stop())
        self.bench.output += self.sandbox.output

    # --- what there is to see ---

    @property
    def pid(self):
        """The process of host.py."""
        return self.sandbox.pid

    @property
    def output(self):
        """All that it has printed, stdout and stderr, at most 32 KiB."""
        return self.sandbox.output

    @property
    def status(self):
        """Exit status of the process of host.py, negative for a signal; None while it runs."""
        return self.sandbox.status

    def process(self):
        """Return procfs.Process of the answer's main process, None when it is gone."""
        return procfs.process(self.pid)

    def orphans(self):
        """Return the pids of descendants whose parents have ended: the nanny has adopted them."""
        return [pid for pid in procfs.children(self.sandbox.nanny) if pid != self.pid]

    def open_ports(self):
        """Return the ports of the clients that have a connection."""
        return [client.port for client in list(self.clients) if client.open]

    def file(self, name):
        """Return the text of a file in its folder, None when there is none."""
        with suppress(OSError):
            return (self.sandbox.scratch / name).read_text(encoding="utf-8", errors="replace")
        return None

    # --- what can be done to it ---

    def signal(self, number, pid=None):
        """Send a signal to the process of host.py, or to one of its descendants; False when that is gone."""
        pid = pid or self.pid
        if pid != self.pid and pid not in [each.pid for each in self.family.all()]:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds):
        """Wait for the end, and for what lingers; return the Report, None when it still runs."""
        return self.sandbox.wait(seconds)

    def expect(self, prefix, seconds, what="to get ready"):
        """Return the rest of the first line of its stdout that begins with `prefix`.

        Raises Crashed when it ended before, TooSlow when it had no time, and Unrecognised when it waits or
        spins instead.
        """
        rest = self.sandbox.line(prefix, seconds)
        if rest is not None:
            return rest
        if not self.sandbox.alive or self.status is not None:
            raise self.crashed(f"expected the program {what}, but it ended first")
        found = self.process()
        doing = self.where()
        if found and found.state == "R" and found.cpu_ns < CHEW * 1e9:
            had = f"it had {found.cpu_ns / 1e6:.0f} ms of processor time"
            raise TooSlow(f"expected the program {what} within {seconds:g} s; {had}")
        missing = f"no line that it has printed begins with “{prefix.strip()}”"
        raise Unrecognised(f"expected the program {what} within {seconds:g} s", missing, f"it is {doing}")

    # --- evidence ---

    def where(self):
        """Return what it is doing now: `asleep in recv(4), your line 7: …`, as far as that can be seen."""
        found = self.process()
        if found is None:
            return self.how_it_ended()
        thread = found.threads[0] if found.threads else None
        call = thread.call.text if thread and thread.call else None
        doing = f"asleep in {call}" if call and found.state == "S" else f"running (state {found.state})"
        line = self.line_of(self.sandbox.stacks()) if self.asks else ""
        if call == "poll" and "poll" not in line:  # nobody who wrote recv expects to read poll
            doing += ", where Python waits for a socket that has a time-out"
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
        whole = re.compile(re.escape(slips.TITLE) + r"\n(.+\n)*\w")
        self.sandbox.until(lambda: whole.search(self.sandbox.errors), 0.5)
        last = self.sandbox.errors.rpartition(slips.TITLE)[2]
        words = [
            line
            for line in last.splitlines()
            if re.match(r"\w[\w.]*(Error|Exception|Exit|Interrupt)?\b", line)
        ]
        line = self.line_of(last)
        return tuple(filter(None, (words[-1] if words else "", line)))

    def _slip(self):
        """Return a Crashed when a line of the learner's made a slip in Python itself, else None."""
        found = slips.find(self.sandbox.errors)
        if found is None:
            return None
        finding = Crashed(found.words, self.bench.source_line(found.number))
        finding.question = found.question
        return finding

    def how_it_ended(self):
        """Return one sentence on the end of the process."""
        report = self.sandbox.wait(1.0)
        if report is None:
            return "still running"
        more = "process of yours was" if report.company == 1 else "processes of yours were"
        company = f"; {report.company} more {more} still there, and removed"
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
        said = (self.how_it_ended(), *self.traceback())
        return Crashed(*before, *(line for line in said if line not in before))


class Server(Run):
    """An answer that listens on TCP: its host.py prints `listening HOST:PORT`."""

    def __init__(self, bench, arguments, limits, ready, **options):
        super().__init__(bench, arguments, limits, **options)
        try:
            self.port = self._wait_until_it_listens(ready)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

    def connect(self):
        """Return a connected Client. The kernel shakes hands by itself: this does not wait for accept."""
        client = Client(self)
        self.clients.append(client)
        return client

    def unread(self, port):
        """Return how many bytes of the client at `port` wait unread; None when there is no such socket."""
        found = procfs.connection(self.port, port)
        return found.rx if found else None

    def _wait_until_it_listens(self, seconds):
        port = int(self.expect("listening ", seconds, "to load and listen").rpartition(":")[2])
        if not self.holds_listener(port):
            if not self.sandbox.alive:
                raise self.crashed(f"the program said that it listens on port {port}, and ended")
            raise Unrecognised(
                f"the program said that it listens on port {port}, but /proc shows no such socket of its own"
            )
        return port

    def listeners(self):
        """Return the ports on which processes of the answer listen, one for each socket, from /proc."""
        ports = procfs.listening()
        held = {
            each.inode
            for process in self.family.all()
            for each in process.descriptors
            if each.kind == "socket"
        }
        return sorted(ports[inode] for inode in held & ports.keys())

    def holds_listener(self, port):
        """True when /proc shows it. A table that changes while it is read may lack a row: so look again."""
        return any(port in self.listeners() or time.sleep(0.05) for _ in range(20))
