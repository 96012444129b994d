"""The nanny: runs one learner's program, keeps count of it, and leaves no process behind.

    checker ── guard ── nanny ── learner ── whatever it forks

The learner's program may do anything; most of it by accident. So it is started with little (`confine`),
watched every TICK, and ended by one routine that knows no exception. Two layers stand above it, because a
program can try to kill its parent: the guard is the second one, and never speaks to the learner.

Started by the guard as `python -I -S nanny.py SPEC`, with a socket as stdin. SPEC is JSON, see `sandbox.py`.
Reads `stop` and `signal NUMBER` from the socket; its end of file means stop as well. Writes JSON lines to it:
    {"event": "started", "pid", "defences": {...}}   {"event": "output", "stream", "text"}
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

census, confine, guard = map(__import__, ("census", "confine", "guard"))  # files beside us, not a package's

TICK = 0.05
"""Seconds between two looks at the tree."""

MANNERS = 0.3
"""Seconds between SIGTERM and SIGKILL."""

GIVE_UP = 5.0
"""Seconds of killing after which what is still there is reported as left."""

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
        self.learner = 0
        self.ended = {}
        self.why = None
        self.uid, self._uid_lock = self.throw_away_uid() if spec["uid"] else (None, None)
        self.streams = {}
        self.decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("out", "err")}
        self.kept = self.output = self.tasks = self.memory = self.most_tasks = self.most_memory = 0

    # --- starting ---

    def start(self):
        """Fork the learner; raise OSError, with the step that failed, when that cannot be done."""
        spec, nanny = self.spec, os.getpid()
        rules = confine.landlock_rules(spec["read"], spec["write"]) if spec["landlock"] else None
        version = confine.landlock_version() if rules is not None else 0
        keep_reading = bool(self.uid and spec["hidden_python"])
        if keep_reading and rules is None:
            self.uid = None  # it could not even read its Python; see docs/sandbox.md
        for path in spec["write"]:
            if self.uid and os.path.isdir(path) and path == spec["cwd"]:  # noqa: PTH112
                for name in [path, *(os.path.join(path, each) for each in os.listdir(path))]:  # noqa: PTH118
                    os.chown(name, self.uid, self.uid)
        protected = confine.ancestors(nanny) if confine.LINUX and spec["seccomp"] else set()
        program = confine.seccomp_program(protected) if protected else None
        budget = dict(spec["limits"])
        if confine.LINUX:
            budget["NPROC"] = spec["tasks"] + (census.tasks_of(os.getuid()) if self.uid is None else 0)
        pipes = {name: os.pipe() for name in ("out", "err")}
        failed, trouble = os.pipe()
        self.learner = os.fork()
        if not self.learner:
            step = "start"
            try:
                step = "setsid"
                os.setsid()
                os.umask(0o077)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(pipes["out"][1], 1)
                os.dup2(pipes["err"][1], 2)
                os.chdir(spec["cwd"])
                confine.first_to_go()
                if self.uid:
                    step = "setuid"
                    confine.become(self.uid, keep_reading)
                step = "limits"
                confine.limits(budget)
                if confine.LINUX:
                    step = "prctl"
                    confine.prctl(confine.PR_SET_PDEATHSIG, signal.SIGKILL)  # setuid clears it: hence after
                    if os.getppid() != nanny:
                        os._exit(1)
                    confine.prctl(confine.PR_SET_NO_NEW_PRIVS, 1)
                for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                    signal.signal(number, signal.SIG_DFL)
                if rules is not None:
                    step = "landlock"
                    confine.landlock_enforce(rules)
                if program:
                    step = "seccomp"
                    confine.seccomp_enforce(program)
                step = "exec"
                keep = {0, 1, 2, trouble}
                for number in range(3, 256):
                    if number not in keep:
                        close(number)
                os.execve(spec["command"][0], spec["command"], spec["environment"])
            except BaseException as error:
                os.write(trouble, f"{step}: {error}".encode())
            finally:
                os._exit(127)
        for number in (trouble, pipes["out"][1], pipes["err"][1]):
            os.close(number)
        if rules is not None:
            os.close(rules)
        for name, (reader, _) in pipes.items():
            os.set_blocking(reader, False)
            self.streams[reader] = name
        words = os.read(failed, 4096)  # end of file: exec has closed it
        os.close(failed)
        if words:
            raise OSError(words.decode(errors="replace"))
        self.started = time.monotonic()
        self.tell(
            event="started",
            pid=self.learner,
            defences={
                "uid": self.uid,
                "landlock": version,
                "seccomp": bool(program),
                "tasks": budget.get("NPROC"),
            },
        )

    @staticmethod
    def throw_away_uid():
        """Return a uid that nobody uses, and the socket whose name keeps others from taking it meanwhile."""
        used = {uid for uid, _ in census.owners()}
        for uid in range(61200 + os.getpid() % 2000, 65500):
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                if uid not in used:
                    lock.bind(f"\0evolution-uid-{uid}")
                    return uid, lock
            except OSError:
                pass
            lock.close()
        return None, None

    # --- watching ---

    def watch(self):
        """Pass on output, obey the checker, count; return once `why` says why it is time to end."""
        spec, look, disk = self.spec, 0.0, 0.0
        while not self.why:
            now = time.monotonic()
            if now >= look:
                look = now + TICK
                reap(self.ended)
                if self.learner in self.ended:
                    self.why = "exited"
                    break
                if confine.LINUX:
                    self.count()
                if self.tasks > spec["tasks"] - 4:
                    self.why = "tasks"
                elif self.memory > spec["mib"] * 2**20:
                    self.why = "memory"
                elif now - self.started > spec["seconds"]:
                    self.why = "time"
                elif now >= disk:
                    disk = now + 5 * TICK
                    if census.size_of(spec["cwd"], spec["disk_mib"] * 2**20) > spec["disk_mib"] * 2**20:
                        self.why = "disk"
                if self.why:
                    break
            waiting = [0, self.alarm, *self.streams]
            ready, _, _ = select.select(waiting, [], [], max(0, look - time.monotonic()))
            if self.alarm in ready:
                if set(os.read(self.alarm, 4096)) - {signal.SIGCHLD}:
                    self.why = "stop"
                reap(self.ended)
                if self.learner in self.ended:
                    self.why = self.why or "exited"
            if 0 in ready:
                self.obey()
            self.drain(ready)

    def obey(self):
        """Read orders from the checker, one a line."""
        try:
            orders = os.read(0, 4096).splitlines() or [b"stop"]
        except OSError:
            orders = [b"stop"]
        for word, *values in map(bytes.split, orders):
            if word == b"stop":
                self.why = self.why or "stop"
            elif word == b"signal" and self.learner not in self.ended:
                guard.send(self.learner, int(values[0]))

    def drain(self, ready):
        for number in [number for number in ready if number in self.streams]:
            try:
                data = os.read(number, 65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            name = self.streams[number]
            if not data:
                os.close(number)
                del self.streams[number]
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
        company = 0
        if self.learner:
            members = guard.descendants(os.getpid()) if confine.LINUX else {self.learner}
            company = len(members - {self.learner})
            self.most_tasks = max(self.most_tasks, len(members))
            self.ask(members)
        begin_kill = time.monotonic()
        left = self.kill(begin_kill + GIVE_UP)
        done = time.monotonic()
        for _ in range(8):
            ready = select.select(list(self.streams), [], [], 0)[0] if self.streams else []
            if not ready:
                break
            self.drain(ready)
        self.tell(
            event="ended",
            why=self.why,
            status=self.ended.get(self.learner),
            tasks=self.most_tasks,
            mib=round(self.most_memory / 2**20, 1),
            output=self.output,
            company=company,
            left=left,
            ms=round((done - begin) * 1000, 1),
        )

    def ask(self, members):
        """SIGTERM, so that a well-behaved program can end by itself; not worth it when it has run wild."""
        if self.why in ("tasks", "memory", "output", "disk") or self.learner in self.ended:
            return
        for number in (signal.SIGTERM, signal.SIGCONT):
            guard.send(self.learner, number)
        deadline = time.monotonic() + MANNERS
        while time.monotonic() < deadline and self.learner not in self.ended:
            select.select([self.alarm, *self.streams], [], [], 0.01)
            self.drain(select.select(list(self.streams), [], [], 0)[0])
            reap(self.ended)

    def kill(self, deadline):
        """Kill and reap until no child is left; return the pids that would not go."""
        passes = 0
        while time.monotonic() < deadline:
            passes += 1
            if self.uid:
                self.kill_all_of_uid()
            if confine.LINUX:
                for pid in self.freeze():
                    guard.send(pid, signal.SIGKILL)
            elif self.learner:
                guard.send_group(self.learner, signal.SIGKILL)
            if not reap(self.ended) and not self.strangers():
                return []
            if passes == 10 and not self.uid:
                census.starve(self.spec["tasks"])
            time.sleep(0.001)
        return sorted(guard.descendants(os.getpid()) | self.strangers())

    def freeze(self):
        """SIGSTOP descendants until no new one turns up, at most a few rounds; return all that were seen."""
        frozen = set()
        for _ in range(50):
            fresh = guard.descendants(os.getpid()) - frozen
            if not fresh:
                break
            for pid in fresh:
                guard.send(pid, signal.SIGSTOP)
            frozen |= fresh
        return frozen

    def kill_all_of_uid(self):
        """One kill(-1) as the throw-away user reaches every process of that user at once (kill(2))."""
        try:
            helper = os.fork()
        except OSError:
            return  # no room for another process; the slow way follows
        if not helper:
            try:
                os.setgroups([])
                os.setresuid(self.uid, self.uid, self.uid)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        patience = time.monotonic() + MANNERS
        while reap(self.ended) and helper not in self.ended:
            if time.monotonic() > patience:  # the learner may have stopped our helper
                guard.send(helper, signal.SIGKILL)
            time.sleep(0.001)
        self.ended.pop(helper, None)

    def strangers(self):
        """Processes of the throw-away user that are, against all rules, not below us."""
        return {pid for uid, pid in census.owners() if uid == self.uid} if self.uid else set()

    def tell(self, **facts):
        try:
            self.channel.sendall(json.dumps(facts).encode() + b"\n")
        except OSError:
            self.why = self.why or "stop"  # nobody listens any more


def reap(ended, most=500):
    """Take exit statuses as the guard does, but `most` at once: a churning program has ever new ones."""
    try:
        for _ in range(most):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return True
            ended[pid] = os.waitstatus_to_exitcode(status)
        return True
    except ChildProcessError:
        return False


def close(number):
    try:
        os.close(number)
    except OSError:
        return


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
