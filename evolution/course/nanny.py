"""The nanny: runs one learner's program, keeps count of it, and leaves no process behind.

    checker ── guard ── nanny ── learner ── whatever it forks

The learner's program may do anything; most of it by accident. So it is started with little (`birth`,
`confine`), watched every TICK, and ended by one routine that knows no exception (`removal`). Two layers stand
above it, because a program can try to kill its parent: the guard is the second one, and never speaks to it.

Started by the guard as `python -I -S nanny.py SPEC`, with a socket as stdin. SPEC is JSON, see `sandbox.py`.
Reads `stop` and `signal NUMBER` from the socket; its end of file means stop as well. Writes JSON lines to it:
    {"event": "started", "pid", "nanny", "defences": {...}}   {"event": "output", "stream", "text"}
    {"event": "gone", "status"}: the learner's own process has ended; what it left may linger
    {"event": "ended", "why", "status", "tasks", "mib", "output", "company", "left", "ms"}
"""

import codecs
import json
import os
import select
import signal
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 — every import delays the start
sys.path += [HERE, os.path.join(os.path.dirname(HERE), "lab")]  # noqa: PTH118, PTH120

census, confine, guard, birth, removal = map(  # files beside us, not a package's
    __import__, ("census", "confine", "guard", "birth", "removal")
)

TICK = 0.05
"""Seconds between two looks at the tree."""

KEEP = 32768
"""Bytes of output that are passed on; the rest is counted and dropped."""

PAGE = os.sysconf("SC_PAGE_SIZE")


def main(spec):
    channel = socket.socket(fileno=os.dup(0))
    os.set_inheritable(channel.fileno(), False)
    if confine.LINUX:
        guard.prctl(guard.PR_SET_CHILD_SUBREAPER, 1)
        confine.prctl(confine.PR_SET_DUMPABLE, 0)  # /proc/PID/fd and environ are closed to the learner
    nanny = Nanny(spec, channel, guard.signals_as_bytes())
    try:
        nanny.start()
        nanny.watch()
    except Exception as error:  # the nanny's own mistake must not leave the learner running
        nanny.why = nanny.why or f"nanny: {type(error).__name__}: {error}"
    nanny.finish()


class Nanny:
    def __init__(self, spec, channel, alarm):
        self.spec, self.channel, self.alarm = spec, channel, alarm
        self.learner = None
        self.ended = {}
        """{pid: exit status} of everything reaped."""
        self.why = None
        self.decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("out", "err")}
        self.kept = self.output = self.tasks = self.memory = self.most_tasks = self.most_memory = 0
        self.lingers_until = None

    def start(self):
        """Start the learner; raise OSError, with the step that failed, when that cannot be done."""
        self.learner = birth.Learner(self.spec)
        if self.learner.trouble:
            raise OSError(self.learner.trouble)
        self.started = time.monotonic()
        self.tell(event="started", pid=self.learner.pid, nanny=os.getpid(), defences=self.learner.defences)

    # --- watching ---

    def watch(self):
        """Pass on output, obey the checker, count; return once `why` says why it is time to end."""
        look = disk = 0.0
        while not self.why:
            now = time.monotonic()
            if now >= look:
                look = now + TICK
                self.look(now, now >= disk)
                disk = now + 5 * TICK if now >= disk else disk
                if self.why:
                    break
            waiting = [0, self.alarm, *self.learner.streams]
            ready, _, _ = select.select(waiting, [], [], max(0, look - time.monotonic()))
            if self.alarm in ready:
                if set(os.read(self.alarm, 4096)) - {signal.SIGCHLD}:
                    self.why = "stop"
                self.reap()
            if 0 in ready:
                self.obey()
            self.drain(ready)

    def look(self, now, at_the_disk):
        """Compare what there is with the limits."""
        spec = self.spec
        self.reap()
        if confine.LINUX and not self.why:
            self.count()
        if self.why:
            return
        disk = census.size_of(spec["cwd"], spec["disk_mib"] * 2**20) if at_the_disk else 0
        if self.tasks > spec["tasks"] - 4:
            self.why = "tasks"
        elif self.memory > spec["mib"] * 2**20:
            self.why = "memory"
        elif now - self.started > spec["seconds"]:
            self.why = "time"
        elif disk > spec["disk_mib"] * 2**20:
            self.why = "disk"

    def reap(self):
        """Take exit statuses. The end of the learner's own process ends the run, at once or after a while."""
        someone = removal.reap(self.ended)
        if self.learner.pid not in self.ended:
            return
        if self.lingers_until is None:
            self.lingers_until = time.monotonic() + self.spec["linger"]
            self.tell(event="gone", status=self.ended[self.learner.pid])
        if not someone or time.monotonic() >= self.lingers_until:
            self.why = self.why or "exited"

    def obey(self):
        """Read orders from the checker, one a line."""
        try:
            orders = os.read(0, 4096).splitlines() or [b"stop"]
        except OSError:
            orders = [b"stop"]
        for word, *values in map(bytes.split, orders):
            if word == b"stop":
                self.why = self.why or "stop"
            elif word == b"signal" and self.learner.pid not in self.ended:
                guard.send(self.learner.pid, int(values[0]))

    def drain(self, ready):
        streams = self.learner.streams
        for number in [number for number in ready if number in streams]:
            try:
                data = os.read(number, 65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            name = streams[number]
            if not data:
                os.close(number)
                del streams[number]
                continue
            self.output += len(data)
            if self.kept < KEEP:
                keep = data[: KEEP - self.kept]
                self.kept += len(keep)
                self.tell(event="output", stream=name, text=self.decoders[name].decode(keep))
            elif self.output > self.spec["output_mib"] * 2**20:
                self.why = self.why or "output"

    def count(self):
        """Look at all descendants: how many threads, how much memory. Both maxima are kept for the report."""
        self.tasks, self.memory = 0, 0
        for pid in guard.descendants(os.getpid()):
            try:
                with open(f"/proc/{pid}/stat", errors="replace") as file:
                    self.tasks += int(file.read().rpartition(")")[2].split()[17])
                with open(f"/proc/{pid}/statm") as file:
                    _, resident, shared, *_ = map(int, file.read().split())
            except (OSError, ValueError):
                continue
            self.memory += (resident - shared) * PAGE
        self.most_tasks = max(self.most_tasks, self.tasks)
        self.most_memory = max(self.most_memory, self.memory)

    # --- ending ---

    def finish(self):
        """Ask, freeze, kill, reap, until nothing is left; then report."""
        begin = time.monotonic()
        company, streams = 0, {}
        if self.learner:
            streams = self.learner.streams
            members = guard.descendants(os.getpid()) if confine.LINUX else {self.learner.pid}
            company = len(members - {self.learner.pid})
            self.most_tasks = max(self.most_tasks, len(members))
            if self.why not in ("tasks", "memory", "output", "disk") and self.learner.pid not in self.ended:
                removal.ask(self.learner, self.ended, self.alarm, self.drain)  # not one that has run wild
        left = removal.kill(self.learner, self.ended, self.spec["tasks"])
        done = time.monotonic()
        for _ in range(8):
            ready = select.select(list(streams), [], [], 0)[0] if streams else []
            if not ready:
                break
            self.drain(ready)
        self.tell(
            event="ended",
            why=self.why,
            status=self.ended.get(self.learner.pid) if self.learner else None,
            tasks=self.most_tasks,
            mib=round(self.most_memory / 2**20, 1),
            output=self.output,
            company=company,
            left=left,
            ms=round((done - begin) * 1000, 1),
        )

    def tell(self, **facts):
        try:
            self.channel.sendall(json.dumps(facts).encode() + b"\n")
        except OSError:
            self.why = self.why or "stop"  # nobody listens any more


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
