"""What this machine can do for the course, one line each, with the remedy where something is missing.

The essentials are what no chapter can do without. The rest is optional: where it is missing, the course says
so in one sentence and goes on.
"""

import html
import importlib.metadata
import os
import platform
import resource
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from evolution.lab import procfs
from evolution.lab.guarded import Guarded

DESCRIPTORS = 4096
"""Open descriptors that the chapter on scaling needs."""

MEMORY_MIB = 500
"""Free memory below which experiments with many processes get slow."""

PACKAGES = ("jupyterlab", "ipykernel", "ipywidgets", "anywidget", "psutil")


class Check(NamedTuple):
    """One finding."""

    name: str
    ok: bool
    found: str
    remedy: str
    """What to do, and what it is for; shown only when not ok."""
    essential: bool = False


def checks():
    """Return [Check]. A look that fails is a finding, never an exception. Takes about 0.2 s."""
    return [_look(name, look, remedy, essential) for name, look, remedy, essential in _LOOKS]


def _look(name, look, remedy, essential):
    try:
        ok, found = look()
    except Exception as error:
        ok, found = False, f"{type(error).__name__}: {error}"
    return Check(name, ok, found, remedy, essential)


class Report:
    """All checks; prints as lines, and shows itself in a notebook as a card."""

    def __init__(self, found=None):
        self.checks = checks() if found is None else found

    @property
    def ok(self):
        """True when nothing essential is missing."""
        return all(check.ok for check in self.checks if check.essential)

    @property
    def sentence(self):
        missing = [check.name for check in self.checks if not check.ok]
        essential = [check.name for check in self.checks if check.essential and not check.ok]
        if essential:
            return f"The course cannot run here yet: {', '.join(essential)} must be repaired first."
        if missing:
            return f"Everything essential is here; optional and missing: {', '.join(missing)}."
        return "Everything is here."

    def __str__(self):
        width = max(len(check.name) for check in self.checks)
        lines = [
            f"{_verdict(check):8}  {check.name:{width}}  {check.found}{_remedy(check)}"
            for check in self.checks
        ]
        return "\n".join([*lines, self.sentence])

    def _repr_mimebundle_(self, include=None, exclude=None):
        rows = "".join(
            f'<tr data-ok="{str(check.ok).lower()}"><td style="text-align:left">{_verdict(check)}</td>'
            f'<td style="text-align:left"><strong>{html.escape(check.name)}</strong></td>'
            f'<td style="text-align:left">{html.escape(check.found + _remedy(check))}</td></tr>'
            for check in self.checks
        )
        card = (
            '<div class="evolution-doctor" style="color:var(--jp-ui-font-color1,inherit)">'
            f"<p>{html.escape(self.sentence)}</p><table>{rows}</table></div>"
        )
        return {"text/plain": str(self), "text/html": card}


def main():
    """Print the report; return 0 when the essentials are there, else 1."""
    report = Report()
    print(report)
    return 0 if report.ok else 1


def _verdict(check):
    if check.ok:
        return "ok"
    return "MISSING" if check.essential else "missing"


def _remedy(check):
    return "" if check.ok else f": {check.remedy}"


def _python():
    return sys.version_info >= (3, 11), platform.python_version()


def _system():
    return sys.platform in ("linux", "darwin"), f"{platform.system()} {platform.release()}"


def _packages():
    missing = []
    for name in PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return not missing, f"without {', '.join(missing)}" if missing else ", ".join(PACKAGES)


def _loopback():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()
    return True, "a server on 127.0.0.1 can be reached"


def _guard():
    with Guarded(["sleep", "60"]) as sleeper:
        pid = sleeper.pid
        sleeper.kill()
        status = sleeper.exit_status
    return status == -9, f"started and ended process {pid}"


def _epoll():
    return hasattr(select, "epoll"), "available" if hasattr(select, "epoll") else "not on this system"


def _proc():
    with Guarded(["sleep", "60"]) as sleeper:
        [process] = procfs.tree(sleeper.pid)
        calls = [thread.call for thread in process.threads]
    return calls[
        0
    ] is not None or process.state == "R", "processes, descriptors and system calls are readable"


def _accept_queue():
    with socket.create_server(("127.0.0.1", 0), backlog=7) as listener:
        limit = procfs.listen_queue(listener.getsockname()[1]).limit
    return limit == 7, "length and limit" if limit == 7 else "length only"


def _descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    enough = hard == resource.RLIM_INFINITY or hard >= DESCRIPTORS
    return enough, "unlimited" if hard == resource.RLIM_INFINITY else f"at most {hard:,}"


def _memory():
    free = int(Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()[0]) // 1024
    limit = _cgroup("memory.max")
    if limit.isdigit():
        free = min(free, (int(limit) - int(_cgroup("memory.current"))) >> 20)
    return free >= MEMORY_MIB, f"{free:,} MiB free"


def _cgroup(name):
    try:
        return Path("/sys/fs/cgroup", name).read_text().strip()
    except OSError:
        return ""


def _processors():
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return count >= 2, f"{count} usable"


def _strace():
    return _program("strace")


def _ptrace():
    if not shutil.which("strace"):
        return False, "unknown without strace"
    traced = subprocess.run(
        ["strace", "-o", os.devnull, "true"], capture_output=True, text=True, timeout=10, check=False
    )
    words = traced.stderr.strip().splitlines()
    return traced.returncode == 0, "permitted" if traced.returncode == 0 else f"refused ({words[-1:]})"


def _wrk():
    return _program("wrk")


def _chromium():
    return _program("chromium", "chromium-browser", "google-chrome")


def _uv():
    return _program("uv")


def _program(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    return found is not None, found or "not found"


_LOOKS = (
    ("python", _python, "install Python 3.11 or newer, for example with `uv python install 3.11`", True),
    ("system", _system, "on Windows use WSL (`wsl --install`) or open the course on Binder", True),
    ("packages", _packages, "run `make lab`, which installs the locked environment", True),
    ("loopback", _loopback, "bring it up (`ip link set lo up`) or loosen the firewall for 127.0.0.1", True),
    ("guard", _guard, "the guard must be able to start and end a process; see docs/decisions/guard.md", True),
    ("epoll", _epoll, "chapter 4 needs Linux; the other chapters run here", False),
    ("/proc", _proc, "the X-ray needs Linux and a readable /proc; experiments run without it", False),
    ("accept queue", _accept_queue, "netlink sock_diag is refused; the queue is drawn without limit", False),
    (
        "descriptors",
        _descriptors,
        f"raise the hard limit to {DESCRIPTORS:,} (limits.conf, ulimit -Hn)",
        False,
    ),
    ("memory", _memory, f"close other programs; {MEMORY_MIB} MiB free are comfortable", False),
    ("processors", _processors, "with one, servers and clients take turns: expect noisier figures", False),
    ("strace", _strace, "`sudo apt-get install strace`; system calls are not drawn without it", False),
    ("ptrace", _ptrace, "run the container with `--cap-add SYS_PTRACE`; only strace needs it", False),
    ("wrk", _wrk, "`sudo apt-get install wrk`; the course's own load client stands in for it", False),
    ("chromium", _chromium, "`sudo apt-get install chromium`; only the browser tests need it", False),
    ("uv", _uv, "https://docs.astral.sh/uv/; set-up with pip works too, more slowly", False),
)
