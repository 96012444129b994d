"""Processes, threads and descriptors. Each reader takes the root of /proc, so that a test can bring its own.

A process can vanish between two reads. That is no error: what is gone is left out, or shown as far as seen.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

from evolution.lab.procfs.calls import Call, parse_syscall
from evolution.lab.procfs.parse import (
    Descriptor,
    parse_descriptor,
    parse_epoll,
    parse_pss,
    parse_schedstat,
    parse_stat,
    parse_status,
)
from evolution.lab.procfs.sockets import held_sockets

ROOT = "/proc"
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


class Thread(NamedTuple):
    tid: int
    state: str
    call: Call | None
    """The system call in which it sleeps."""
    wchan: str
    """The kernel function in which it sleeps; "" when it does not, or the kernel keeps it to itself."""


class Process(NamedTuple):
    pid: int
    ppid: int
    name: str
    state: str
    """As in Stat."""
    threads: list
    descriptors: list
    """Empty for a zombie, and where reading them is not allowed."""
    cpu_ns: int
    """Nanoseconds on a processor since it started, threads that have ended included."""
    voluntary: int
    """How often its living threads went to sleep (voluntary context switches)."""
    involuntary: int
    """How often they were taken off the processor."""
    pss_kib: int | None
    """Read on demand only, see `pss_kib`: the kernel walks all pages for it."""


def tree(pid, root=ROOT, pss=False):
    """Return [Process] for `pid` and all its descendants, parents before children, [] when it is gone."""
    rows = {}
    with contextlib.suppress(OSError):
        rows = {row.inode: row for row in held_sockets(root) if row.inode}
    return [
        found._replace(descriptors=[with_socket(each, rows) for each in found.descriptors])
        for found, _ in walk(pid, root, pss)
    ]


def walk(pid, root=ROOT, pss=False):
    """Yield (Process, depth) for `pid` and all its descendants, each parent followed by its children."""
    pending = [(pid, 0)]
    while pending:
        pid, depth = pending.pop()
        tids = _numbers(f"{root}/{pid}/task") or [pid]
        found = process(pid, root, pss, tids)
        if found is not None:
            yield found, depth
            pending += [(child, depth + 1) for child in reversed(children(pid, root, tids))]


def process(pid, root=ROOT, pss=False, tids=None):
    """Return the Process, its sockets not yet named; None when it is gone."""
    here = f"{root}/{pid}"
    try:
        stat = parse_stat(_read(f"{here}/stat"))
    except _GONE:
        return None
    if stat.state in "ZX":  # nothing is left of it but its exit status
        return Process(pid, stat.ppid, stat.name, stat.state, [], [], _cpu_ns(pid, root, []), 0, 0, None)
    tids = tids or _numbers(f"{here}/task")
    threads, voluntary, involuntary = [], 0, 0
    for tid in tids:
        try:
            status = parse_status(_read(f"{here}/task/{tid}/status"))
            threads.append(_thread(f"{here}/task/{tid}", tid, stat.state if tid == pid else status.state))
        except _GONE:
            continue
        voluntary += status.voluntary
        involuntary += status.involuntary
    memory = pss_kib(pid, root) if pss else None
    cpu_ns = _cpu_ns(pid, root, tids)
    descriptors = _descriptors(here)
    return Process(
        pid, stat.ppid, stat.name, stat.state, threads, descriptors, cpu_ns, voluntary, involuntary, memory
    )


def children(pid, root=ROOT, tids=None):
    """Return the pids of its children, in the order of their making where Linux keeps the list."""
    found, listed = [], False
    for tid in tids or _numbers(f"{root}/{pid}/task"):
        with contextlib.suppress(*_GONE):
            found += map(int, _read(f"{root}/{pid}/task/{tid}/children").split())
            listed = True
    if listed or not Path(f"{root}/{pid}/stat").exists():
        return found
    return [child for child in _numbers(root) if _ppid(child, root) == pid]  # a kernel without the list


def epoll_table(pid, fd, root=ROOT):
    """Return [Interest]: what the epoll descriptor `fd` of `pid` watches; [] when it is gone."""
    try:
        return parse_epoll(_read(f"{root}/{pid}/fdinfo/{fd}"))
    except _GONE:
        return []


def pss_kib(pid, root=ROOT):
    """Return the process's memory in KiB, shared pages divided among their sharers; None when unreadable.

    It costs up to a millisecond and more for a big process: ask rarely.
    """
    try:
        return parse_pss(_read(f"{root}/{pid}/smaps_rollup"))
    except (*_GONE, IndexError):
        return None


def with_socket(descriptor, rows):
    """Return a socket's Descriptor with what TCP's table ({inode: TcpRow}) knows about it."""
    row = rows.get(descriptor.inode) if descriptor.kind == "socket" else None
    if row is None:
        return descriptor
    fd, inode = descriptor.fd, descriptor.inode
    if row.state == "LISTEN":
        host, port = row.local
        return Descriptor(fd, "listener", f"listens on {host}:{port}", inode, None, row.local)
    host, port = row.remote
    return Descriptor(fd, "client", f"connection from {host}:{port}", inode, row.remote, None)


def _thread(here, tid, state):
    if state == "R":  # it may fall asleep before the next read; one sample says one thing
        return Thread(tid, state, None, "")
    syscall = wchan = ""
    with contextlib.suppress(PermissionError):
        syscall = _read(f"{here}/syscall")
        wchan = _read(f"{here}/wchan")
    return Thread(tid, state, parse_syscall(syscall), "" if wchan == "0" else wchan)


def _descriptors(here):
    here += "/fd"
    try:
        numbers = _numbers(here)
    except PermissionError:
        return []
    found = []
    for fd in numbers:
        try:
            found.append(parse_descriptor(fd, os.readlink(f"{here}/{fd}")))  # noqa: PTH115 - thrice as fast
        except _GONE:
            continue
    return found


def _cpu_ns(pid, root, tids):
    """The processor time of all threads, dead ones included: clock_getcpuclockid(3). Fixtures: schedstat."""
    try:
        if root == ROOT:
            return time.clock_gettime_ns(~pid << 3 | 2)
        return sum(parse_schedstat(_read(f"{root}/{pid}/task/{tid}/schedstat")) for tid in tids)
    except OSError:
        return 0


def _ppid(pid, root):
    try:
        return parse_stat(_read(f"{root}/{pid}/stat")).ppid
    except _GONE:
        return None


def _numbers(path):
    try:
        return sorted(int(name) for name in os.listdir(path) if name.isdigit())
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        return []


def _read(path):
    """Read a whole file of /proc; twice as fast as open(), and this is called hundreds of times a second."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, 65536)
        if len(data) >= 4000:  # the kernel may hand out one page at a time
            while more := os.read(descriptor, 65536):
                data += more
        return data.decode(errors="replace")
    finally:
        os.close(descriptor)
