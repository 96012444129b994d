"""From the text of /proc to plain tuples. Pure functions: no file is opened, so a test needs no process."""

import re
from functools import cache
from typing import NamedTuple


class Stat(NamedTuple):
    """The first fields of /proc/PID/stat (proc_pid_stat(5))."""

    name: str
    state: str
    """R runs, S sleeps, D sleeps and cannot be disturbed, T is stopped, Z is a zombie, X is gone."""
    ppid: int


class Status(NamedTuple):
    """Some lines of a thread's status (proc_pid_status(5))."""

    state: str
    voluntary: int
    """Context switches because it went to sleep."""
    involuntary: int
    """Context switches because its turn was over."""


class Descriptor(NamedTuple):
    """What a descriptor refers to."""

    fd: int
    kind: str
    """listener, client, epoll, pipe, socket (any other), file, or other."""
    text: str
    inode: int | None = None
    """Set for sockets and pipes: equal inodes are one object, whoever holds it."""
    peer: tuple | None = None
    """(host, port) of the client at the other end; kind client only."""
    address: tuple | None = None
    """(host, port) where it listens; kind listener only."""


class Interest(NamedTuple):
    """One row of an epoll interest list (epoll_ctl(2))."""

    fd: int
    events: tuple
    """Names without the EPOLL prefix: IN, OUT, ET …; HUP and ERR are always on and left out."""
    raw: str
    """The bit mask in hex, as the kernel shows it."""


_EPOLL_EVENTS = {
    0x001: "IN",
    0x002: "PRI",
    0x004: "OUT",
    0x2000: "RDHUP",
    1 << 28: "EXCLUSIVE",
    1 << 29: "WAKEUP",
    1 << 30: "ONESHOT",
    1 << 31: "ET",
}
_SWITCHES = re.compile(r"^(non)?voluntary_ctxt_switches:\s*(\d+)$", re.MULTILINE)
_EPOLL_ROW = re.compile(r"^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)", re.MULTILINE)


def parse_stat(text):
    """Read /proc/PID/stat. The name stands in brackets and may hold brackets and spaces itself."""
    head, _, rest = text.rpartition(")")
    fields = rest.split(None, 2)
    return Stat(head.partition("(")[2], fields[0], int(fields[1]))


def parse_schedstat(text):
    """Return the nanoseconds spent on a processor: the first field of /proc/PID/schedstat."""
    return int(text.split(None, 1)[0])


def parse_status(text):
    """Read /proc/PID/task/TID/status."""
    counts = {bool(non): int(count) for non, count in _SWITCHES.findall(text)}
    state = text.partition("\nState:")[2].lstrip()[:1]
    return Status(state, counts.get(False, 0), counts.get(True, 0))


def parse_pss(text):
    """Return Pss in KiB from /proc/PID/smaps_rollup: memory, shared pages divided among their sharers."""
    return int(text.partition("\nPss:")[2].split(None, 1)[0])


def parse_descriptor(fd, link):
    """Read one link of /proc/PID/fd (proc_pid_fd(5)). Which connection it is, only TCP's table knows."""
    if link.startswith("socket:["):
        return Descriptor(fd, "socket", "socket", int(link[8:-1]))
    if link.startswith("pipe:["):
        return Descriptor(fd, "pipe", "pipe", int(link[6:-1]))
    if link == "anon_inode:[eventpoll]":
        return Descriptor(fd, "epoll", "epoll")
    if link.startswith("anon_inode:"):
        return Descriptor(fd, "other", link.removeprefix("anon_inode:").strip("[]"))
    return Descriptor(fd, "file" if link.startswith("/") else "other", link)


def parse_epoll(text):
    """Return the interest list from /proc/PID/fdinfo/EPFD (proc_pid_fdinfo(5)), by descriptor."""
    rows = []
    for fd, raw in _EPOLL_ROW.findall(text):
        rows.append(Interest(int(fd), _event_names(raw), raw))
    return sorted(rows)


@cache  # a thousand rows share a handful of masks
def _event_names(raw):
    mask = int(raw, 16)
    return tuple(name for bit, name in _EPOLL_EVENTS.items() if mask & bit)
