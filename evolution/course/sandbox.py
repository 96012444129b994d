"""Where a learner's program runs: guarded, watched, bounded, in a scratch folder of its own.

    with Sandbox({"answer.py": text, "host.py": host}, ["host.py"]) as learner:
        line = learner.line("listening ", seconds=5)
        ...
    learner.report.why, learner.report.left

The chain is checker → guard → nanny → learner; see `nanny.py` for how it ends and docs/sandbox.md for what it
defends against and what it does not. Nothing the learner prints is believed: a checker looks at bytes on TCP
and at /proc.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from evolution.course import scratch
from evolution.course.limits import Limits, Report

PACKAGE = Path(__file__).resolve().parent.parent
GUARD = PACKAGE / "lab" / "guard.py"
NANNY = PACKAGE / "course" / "nanny.py"
PYTHON = getattr(sys, "_base_executable", None) or sys.executable
"""The interpreter below any virtual environment: learners' programs use the standard library only."""

SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/sbin", "/proc", "/sys/devices/system/cpu"),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/hosts", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf"),
    *("/etc/host.conf", "/etc/services", "/etc/protocols", "/etc/ssl", "/etc/alternatives"),
)
LINUX = sys.platform == "linux"

STDIN = ".stdin"
"""The file in the scratch folder that is the program's stdin, if it has any."""

DEFENCES = {"uid": True, "landlock": True, "seccomp": True}
"""What to use where the machine offers it; tests switch them off one at a time."""


class SandboxError(RuntimeError):
    """The learner's program could not be started; the fault is the machine's or ours, never the learner's."""


class Sandbox:
    """One run of a learner's program."""

    def __init__(
        self,
        files,
        command,
        limits=Limits(),  # noqa: B008 — frozen
        environment=None,
        protect=(),
        stdin=b"",
        linger=0.0,
    ):
        """`files` maps names to text for the scratch folder; `command` is one of them and its arguments.

        `protect` names folders that must stay unreadable beside this package, such as the answers. `stdin` is
        all that the program can read there. What it leaves behind when it ends may live `linger` seconds
        more, to be looked at. Raises SandboxError when the program cannot be started.
        """
        self.limits = limits
        self.pid = None
        self.nanny = None
        """The process that orphans are handed to; the program's parent."""
        self.status = None
        """Exit status of the program's own process, as soon as it has ended; negative: a signal."""
        self.defences = {}
        self.report = None
        self.scratch = scratch.make()
        self._parts, self._changed, self._over = [], threading.Condition(), False
        try:
            for name, text in files.items():
                (self.scratch / name).write_text(text, encoding="utf-8", errors="surrogatepass")
            if stdin:
                (self.scratch / STDIN).write_bytes(stdin)
            spec = self._spec(command, environment or {}, protect)
            self._launch({**spec, "stdin": str(self.scratch / STDIN) if stdin else None, "linger": linger})
        except BaseException:
            scratch.remove(self.scratch)
            raise

    def _spec(self, command, environment, protect):
        hidden = scratch.hides_from_others(PYTHON) or scratch.hides_from_others(sys.base_prefix)
        return {
            "command": [PYTHON, "-I", "-B", "-u", "-X", "faulthandler", *map(str, command)],
            "cwd": str(self.scratch),
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": str(self.scratch),
                "TMPDIR": str(self.scratch),
                "MALLOC_ARENA_MAX": "2",  # one for each thread reserves 128 MiB each, mallopt(3)
                **environment,
            },
            "uid": DEFENCES["uid"] and LINUX and os.geteuid() == 0,
            "hidden_python": hidden,
            "landlock": DEFENCES["landlock"],
            "seccomp": DEFENCES["seccomp"],
            "read": list(scratch.without([*SYSTEM, sys.base_prefix], [PACKAGE, *protect])),
            "write": [str(self.scratch), "/dev/null"],
            "limits": self.limits.resource_limits(),
            **{
                key: asdict(self.limits)[key] for key in ("seconds", "tasks", "mib", "disk_mib", "output_mib")
            },
        }

    def _launch(self, spec):
        ours, nannys = socket.socketpair()
        reports, report_end = os.pipe()
        self._channel, self._errors = ours, tempfile.TemporaryFile()
        chain = [PYTHON, "-I", "-S", str(GUARD), str(os.getpid()), str(report_end), str(nannys.fileno())]
        chain += [PYTHON, "-I", "-S", str(NANNY), json.dumps(spec)]
        try:
            self._guard = subprocess.Popen(
                chain,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=(report_end, nannys.fileno()),
                start_new_session=True,
                cwd="/",
            )
        finally:
            nannys.close()
            os.close(report_end)
            os.close(reports)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.until(lambda: self.pid or self.report, 10)
            if not self.pid:
                why = self.report.why if self.report else "no word within 10 s"
                raise SandboxError(f"expected the answer's process to start, but: {why}{self._last_words()}")
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    # --- what it says ---

    @property
    def output(self):
        """All that was printed, stdout and stderr in the order of arrival, as far as it was kept."""
        return "".join(text for _, text in self._parts)

    @property
    def errors(self):
        """What was printed on stderr."""
        return "".join(text for stream, text in self._parts if stream == "err")

    @property
    def alive(self):
        return self.report is None and not self._over

    def line(self, prefix, seconds):
        """Return the rest of the first complete stdout line that starts with `prefix`, None without one."""

        def search():
            said = "".join(text for stream, text in self._parts if stream == "out")
            lines = (line for line in said.splitlines(keepends=True) if line.endswith("\n"))
            return [line[len(prefix) :].strip() for line in lines if line.startswith(prefix)]

        self.until(lambda: search() or not self.alive, seconds)
        return next(iter(search()), None)

    def wait(self, seconds):
        """Wait for the end; return the report, or None when it still runs."""
        self.until(lambda: not self.alive, seconds)
        return self.report

    def stacks(self, seconds=1.0):
        """Ask a host that has registered SIGUSR1 with faulthandler where it is; return what it says."""
        before = len(self.errors)
        self.signal(signal.SIGUSR1)
        self.until(lambda: "most recent call first" in self.errors[before:] or not self.alive, seconds)
        time.sleep(0.01)  # the rest of the same write may come in a second piece
        return self.errors[before:]

    # --- what it is told ---

    def signal(self, number):
        self._order(f"signal {int(number)}\n")

    def stop(self):
        """End it, remove the scratch folder, return the report. Calling it again is harmless."""
        try:
            if self.alive:
                self._order("stop\n")
                self.until(lambda: not self.alive, 8)
        finally:
            with suppress(OSError):
                self._guard.stdin.close()  # the lifeline: whatever is still there is killed now
            try:
                self._guard.wait(12)
            except subprocess.TimeoutExpired:
                self._guard.kill()
                self._guard.wait()
            self._reader.join(2)
            self._channel.close()
            self._errors.close()
            self.report = self.report or Report()
            scratch.remove(self.scratch)
        return self.report

    # --- underneath ---

    def _order(self, words):
        with suppress(OSError):
            self._channel.sendall(words.encode())

    def until(self, condition, seconds):
        """Wait until `condition()` is true, the program has ended or the time is up; return what it says."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not (found := condition()):
                left = deadline - time.monotonic()
                if left <= 0 or self._over:
                    return condition()
                self._changed.wait(min(left, 0.1))
            return found

    def _read(self):
        try:
            with self._channel.makefile("rb") as lines:
                for line in lines:
                    self._take(json.loads(line))
        except (OSError, ValueError):
            pass
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _take(self, event):
        kind = event.pop("event")
        with self._changed:
            if kind == "started":
                self.pid, self.nanny, self.defences = event["pid"], event["nanny"], event["defences"]
            elif kind == "gone":
                self.status = event["status"]
            elif kind == "output":
                self._parts.append((event["stream"], event["text"]))
            elif kind == "ended":
                self.report = Report(**event)
                self.status = self.report.status if self.status is None else self.status
            self._changed.notify_all()

    def _last_words(self):
        with suppress(OSError, ValueError):
            self._errors.seek(0)
            words = self._errors.read().decode(errors="replace").strip().splitlines()
            return f" ({words[-1]})" if words else ""
        return ""
