"""The machine: what it is, which core serves and which loads, and the processor time of a process tree."""

import datetime
import os
import platform
import resource
import time
from contextlib import suppress
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
"""The server runs on the one, whatever loads it on the other; one and the same where there is but one."""

TICKS = os.sysconf("SC_CLK_TCK")


def facts():
    """What a number is worth depends on these; they go into every result."""
    model = next(
        (line.split(":")[1].strip() for line in _read("/proc/cpuinfo").splitlines() if "model name" in line),
        platform.machine(),
    )
    return {
        "kernel": platform.release(),
        "cores": len(CORES),
        "processor": model,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def busy():
    """Seconds that all cores together have been at work since boot (proc_stat(5))."""
    user, nice, system, _, _, irq, softirq, steal, *_ = _read("/proc/stat").split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICKS


def _steal():
    """Seconds that the hypervisor gave to others while we had work."""
    return int(_read("/proc/stat").split("\n")[0].split()[8]) / TICKS


def tree(pid):
    """Return `pid` and its living descendants."""
    found = [pid]
    for parent in found:
        for task in _tasks(parent):
            found += map(int, _read(f"/proc/{parent}/task/{task}/children").split())
    return found


def cpu_seconds(pid):
    """Processor time of a process, its living descendants and those that it has waited for.

    A process's own is its CPU clock (clock_getcpuclockid(3)): the nanoseconds of schedstat summed over
    its threads, the ended ones too. That of the children waited for is counted in ticks of 10 ms.
    """
    total = 0.0
    for member in tree(pid):
        with suppress(OSError, IndexError):
            total += time.clock_gettime(~member << 3 | 2)
            waited = _read(f"/proc/{member}/stat").rpartition(")")[2].split()[13:15]
            total += sum(map(int, waited)) / TICKS
    return total


def pss_kib(pid):
    """Memory of a process and its living descendants; what they share is counted once (proc(5), Pss)."""
    total = 0
    for member in tree(pid):
        for line in _read(f"/proc/{member}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def descriptors(pid):
    """The open descriptors of a process."""
    with suppress(OSError):
        return os.listdir(f"/proc/{pid}/fd")
    return []


def sleeps(pid):
    """How often a process of one thread went to sleep of its own will (proc(5), voluntary_ctxt_switches)."""
    return int(_read(f"/proc/{pid}/status").partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def asleep(pid):
    """Whether a process of one thread sleeps; one that was woken and waits for a processor does not."""
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] == "S"


class Noise:
    """How busy the machine was during a `with` block, our own work included, and what a hypervisor took."""

    def __enter__(self):
        self.began, self.steal, self.busy = time.monotonic(), _steal(), busy()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.began

    def facts(self):
        whole = self.seconds * len(CORES)
        return {
            "seconds": round(self.seconds),
            "busy": round((busy() - self.busy) / whole, 3),
            "steal": round((_steal() - self.steal) / whole, 4),
            "load": os.getloadavg()[0],
        }


def more_descriptors():
    """Raise our limit, and so our children's, as far as it goes; return it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _tasks(pid):
    with suppress(OSError):
        return os.listdir(f"/proc/{pid}/task")
    return []


def _read(path):
    with suppress(OSError):
        return Path(path).read_text()
    return ""
