"""What a running server takes: its processes and threads, memory, processor time; read from /proc."""

import os
import resource
import time
from contextlib import suppress

from evolution.lab import procfs


def members(pid):
    """The pids of a server's living processes, its own first."""
    found = [pid]
    for member in found:
        found += procfs.children(member)
    return [member for member in found if processor_of(member) is not None]


def count_threads(pid):
    with suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))
    return 0


def memory(pids):
    """KiB of the processes together, what they share counted once (Pss)."""
    return sum(procfs.pss_kib(pid) or 0 for pid in pids)


def processor(pid):
    """Seconds on a processor: a server's living processes, ended threads included, and those it buried."""
    return sum((processor_of(member) or 0.0) + processor_of_buried(member) for member in members(pid))


def processor_of(pid):
    """One process's CPU clock in seconds (clock_getcpuclockid(3)); None when it has none any more."""
    with suppress(OSError):
        return time.clock_gettime(~pid << 3 | 2)


def processor_of_buried(pid):
    """What the children that a process has waited for used, in ticks of 10 ms (proc_pid_stat(5))."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        return sum(map(int, file.read().rpartition(b")")[2].split()[13:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def more_descriptors(pids):
    """Raise the soft limit of descriptors to the hard one (prlimit(2)), here and in the server."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for pid in (0, *pids):
        with suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
    return hard
