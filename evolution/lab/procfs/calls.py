"""The system call that a thread is in, from /proc/PID/task/TID/syscall (proc_pid_syscall(5)).

The file says "running", or "-1 …" for a thread that sleeps outside a call (a page fault), or the call's
number and its arguments in hex. Numbers differ from machine to machine: here are those calls of x86_64 and
aarch64 in which a server can be met.
"""

import platform
from typing import NamedTuple

# name: (number on x86_64, number on aarch64 or None, first argument is a descriptor, what a learner calls it)
_CALLS = {
    "read": (0, 63, True, "read"),
    "write": (1, 64, True, "write"),
    "readv": (19, 65, True, "read"),
    "writev": (20, 66, True, "write"),
    "poll": (7, None, False, "poll"),
    "ppoll": (271, 73, False, "poll"),
    "select": (23, None, False, "select"),
    "pselect6": (270, 72, False, "select"),
    "epoll_wait": (232, None, True, "epoll_wait"),
    "epoll_pwait": (281, 22, True, "epoll_wait"),
    "epoll_pwait2": (441, 441, True, "epoll_wait"),
    "accept": (43, 202, True, "accept"),
    "accept4": (288, 242, True, "accept"),
    "connect": (42, 203, True, "connect"),
    "recvfrom": (45, 207, True, "recv"),
    "recvmsg": (47, 212, True, "recv"),
    "sendto": (44, 206, True, "send"),
    "sendmsg": (46, 211, True, "send"),
    "sendfile": (40, 71, True, "sendfile"),
    "futex": (202, 98, False, "futex"),
    "nanosleep": (35, 101, False, "sleep"),
    "clock_nanosleep": (230, 115, False, "sleep"),
    "wait4": (61, 260, False, "wait"),
    "waitid": (247, 95, False, "wait"),
    "pause": (34, None, False, "pause"),
    "rt_sigsuspend": (130, 133, False, "sigsuspend"),
    "rt_sigtimedwait": (128, 137, False, "sigwait"),
    "restart_syscall": (219, 128, False, "sleep"),
    "flock": (73, 32, True, "flock"),
    "fcntl": (72, 25, True, "fcntl"),
    "ioctl": (16, 29, True, "ioctl"),
    "fsync": (74, 82, True, "fsync"),
    "fork": (57, None, False, "fork"),
    "vfork": (58, None, False, "fork"),
    "clone": (56, 220, False, "fork"),
    "clone3": (435, 435, False, "fork"),
    "execve": (59, 221, False, "execve"),
    "exit_group": (231, 94, False, "exit"),
    "io_uring_enter": (426, 426, True, "io_uring_enter"),
}
_COLUMN = {"x86_64": 0, "aarch64": 1}
_BY_NUMBER = {
    machine: {row[column]: (name, row[2], row[3]) for name, row in _CALLS.items() if row[column] is not None}
    for machine, column in _COLUMN.items()
}
_MACHINE = platform.machine()


class Call(NamedTuple):
    """A system call in progress."""

    name: str
    """The kernel's name: accept4, recvfrom, ppoll …"""
    fd: int | None
    """Its first argument, where that is a descriptor."""
    text: str
    """What a learner wrote to get there: accept(3), recv(5), poll …"""


def parse_syscall(text, machine=_MACHINE):
    """Return the Call, or None when the thread is not in one (or may not be looked at: empty text)."""
    number, _, arguments = text.partition(" ")
    if not number.isdigit():  # "running", "-1 …"
        return None
    name, takes_fd, word = _BY_NUMBER.get(machine, {}).get(int(number), (f"syscall {number}", False, None))
    if not takes_fd:
        return Call(name, None, word or name)
    fd = int(arguments.split(" ", 1)[0], 16) & 0xFFFFFFFF  # the kernel shows the whole register
    return Call(name, fd, f"{word}({fd})")
