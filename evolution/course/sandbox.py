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
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

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

THROW_AWAY = range(61200, 65500)
"""The uids that the nanny takes one from when it is root."""

DEFENCES = {"uid": True, "landlock": True, "seccomp": True}
"""What to use where the machine offers it; tests switch them off one at a time."""


class SandboxError(RuntimeError):
    """The learner's program could not be started; the fault is the machine's or ours, never the learner's."""


@dataclass(frozen=True)
class Limits:
    """What one run may use; the first one it reaches ends it."""

    seconds: float = 20.0
    cpu: int = 8
    """Seconds of processor time for each process."""
    tasks: int = 64
    """Processes and threads together."""
    mib: int = 512
    """Memory of all processes together; no single one may map more than twice that."""
    files: int = 256
    """Open descriptors for each process."""
    disk_mib: int = 64
    output_mib: int = 4

    def resource_limits(self):
        return {
            "AS": 2 * self.mib * 2**20,
            "CPU": self.cpu,
            "NOFILE": self.files,
            "FSIZE": self.disk_mib * 2**20 // 4,
            "CORE": 0,
        }


@dataclass
class Report:
    """How a run ended. `why`: exited stop time tasks memory output disk, or lost when nobody could tell."""

    why: str = "lost"
    status: int | None = None
    """Exit status; negative: the signal that ended it."""
    tasks: int = 0
    """The most processes and threads seen at once."""
    mib: float = 0.0
    output: int = 0
    """Bytes printed, also those that were not kept."""
    company: int = 0
    """Other processes of the learner's that were alive at the end."""
    left: list = field(default_factory=list)
    """Pids that could not be removed: always empty, or something is very wrong."""
    ms: float = 0.0
    """Milliseconds from the decision to end it until nothing was left."""


class Sandbox:
    """One run of a learner's program."""

    def __init__(self, files, command, limits=Limits(), environment=None, protect=()):
        """`files` maps names to text for the scratch folder; `command` is one of them and its arguments.

        `protect` names folders that must stay unreadable beside this package, such as the answers.
        Raises SandboxError when the program cannot be started.
        """
        self.limits = limits
        self.pid = None
        self.defences = {}
        self.report = None
        remove_stale()
        self.scratch = Path(tempfile.mkdtemp(prefix=f"evolution-{os.getpid()}-")).resolve()
        self._parts, self._changed, self._over = [], threading.Condition(), False
        try:
            for name, text in files.items():
                (self.scratch / name).write_text(text, encoding="utf-8", errors="surrogatepass")
            self._launch(self._spec(command, environment or {}, protect))
        except BaseException:
            self._remove_scratch()
            raise

    def _spec(self, command, environment, protect):
        hidden = hides_from_others(PYTHON) or hides_from_others(sys.base_prefix)
        return {
            "command": [PYTHON, "-I", "-B", "-u", "-X", "faulthandler", *map(str, command)],
            "cwd": str(self.scratch),
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": str(self.scratch),
                "TMPDIR": str(self.scratch),
                **environment,
            },
            "uid": DEFENCES["uid"] and LINUX and os.geteuid() == 0,
            "hidden_python": hidden,
            "landlock": DEFENCES["landlock"],
            "seccomp": DEFENCES["seccomp"],
            "read": list(without([*SYSTEM, sys.base_prefix], [PACKAGE, *protect])),
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
            for line in said.splitlines(keepends=True):
                if line.startswith(prefix) and line.endswith("\n"):
                    return line[len(prefix) :].strip()
            return None

        return self.until(lambda: search() or not self.alive, seconds) and search()

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
            self._remove_scratch()
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
                self.pid, self.defences = event["pid"], event["defences"]
            elif kind == "output":
                self._parts.append((event["stream"], event["text"]))
            elif kind == "ended":
                self.report = Report(**event)
            self._changed.notify_all()

    def _last_words(self):
        with suppress(OSError, ValueError):
            self._errors.seek(0)
            words = self._errors.read().decode(errors="replace").strip().splitlines()
            return f" ({words[-1]})" if words else ""
        return ""

    def _remove_scratch(self):
        remove(self.scratch)


def remove(scratch):
    """Remove a scratch folder, whatever permissions its folders have."""
    shutil.rmtree(scratch, ignore_errors=True)
    for _ in range(100):  # folders without permissions, which may hide others; root has no such trouble
        if not scratch.exists():
            return
        with suppress(OSError):
            scratch.chmod(stat.S_IRWXU)
        for folder, names, _files in os.walk(scratch):
            for each in (Path(folder, name) for name in names):
                with suppress(OSError):
                    if not each.is_symlink():  # chmod would follow it, out of the scratch folder
                        each.chmod(stat.S_IRWXU)
        shutil.rmtree(scratch, ignore_errors=True)


def remove_stale():
    """Remove the scratch folders of checkers that were killed and could not do it themselves."""
    for path in Path(tempfile.gettempdir()).glob("evolution-*-*"):
        with suppress(OSError, ValueError):
            owner = path.lstat().st_uid
            ours = owner == os.geteuid() or (os.geteuid() == 0 and owner in THROW_AWAY)
            if ours and path.is_dir() and not path.is_symlink() and not alive(int(path.name.split("-")[1])):
                remove(path)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def without(paths, protected):
    """Yield `paths`, taking apart those that contain a protected one, so that it can be left out.

    Landlock only allows, it never forbids: to leave one folder out, name all its neighbours.
    """
    protected = [Path(each).resolve() for each in protected]
    for path in map(Path, paths):
        real = path.resolve()
        if any(real == each or each in real.parents for each in protected):
            continue
        if any(real in each.parents for each in protected):
            with suppress(OSError):
                yield from without(sorted(real.iterdir()), protected)
        else:
            yield str(path)


def hides_from_others(path):
    """True when an unprivileged user cannot reach `path`, as with a Python installed in root's home."""
    path = Path(path).resolve()
    return any(not folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
