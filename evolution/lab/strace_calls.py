"""The system calls that are watched, and what each is about.

One row a call: whether a thread can sleep in it (w), whether it is about sockets or which of them is ready
(s), about processes and threads (p), whether its first argument is a descriptor (f); and what a learner
wrote to get there, where that is another word.
"""

_TABLE = {
    "accept": ("wsf", ""),
    "accept4": ("wsf", ""),
    "bind": ("sf", ""),
    "clock_nanosleep": ("w", "sleep"),
    "clone": ("p", ""),
    "clone3": ("p", "clone"),
    "close": ("sf", ""),
    "connect": ("wsf", ""),
    "dup": ("sf", ""),
    "dup2": ("sf", ""),
    "dup3": ("sf", ""),
    "epoll_create": ("s", ""),
    "epoll_create1": ("s", ""),
    "epoll_ctl": ("sf", ""),
    "epoll_pwait": ("wsf", "epoll_wait"),
    "epoll_pwait2": ("wsf", "epoll_wait"),
    "epoll_wait": ("wsf", ""),
    "eventfd2": ("", "eventfd"),
    "execve": ("p", ""),
    "exit": ("p", ""),
    "exit_group": ("p", "exit"),
    "fcntl": ("sf", ""),
    "flock": ("wf", ""),
    "fork": ("p", ""),
    "futex": ("wp", ""),
    "getpeername": ("sf", ""),
    "getsockname": ("sf", ""),
    "getsockopt": ("sf", ""),
    "ioctl": ("sf", ""),
    "kill": ("p", ""),
    "listen": ("sf", ""),
    "nanosleep": ("w", "sleep"),
    "pause": ("w", ""),
    "pipe2": ("", "pipe"),
    "poll": ("ws", ""),
    "ppoll": ("ws", "poll"),
    "pselect6": ("ws", "select"),
    "read": ("wsf", ""),
    "readv": ("wsf", ""),
    "recvfrom": ("wsf", "recv"),
    "recvmsg": ("wsf", "recv"),
    "rt_sigsuspend": ("w", "sigsuspend"),
    "rt_sigtimedwait": ("w", "sigwait"),
    "select": ("ws", ""),
    "sendfile": ("wsf", ""),
    "sendmsg": ("wsf", "send"),
    "sendto": ("wsf", "send"),
    "setsockopt": ("sf", ""),
    "shutdown": ("sf", ""),
    "socket": ("s", ""),
    "socketpair": ("s", ""),
    "tgkill": ("p", "kill"),
    "vfork": ("p", ""),
    "wait4": ("wp", "wait"),
    "waitid": ("wp", "wait"),
    "write": ("wsf", ""),
    "writev": ("wsf", ""),
}

WATCHED = tuple(_TABLE)
WAITING, SOCKETS, PROCESSES, TAKES_FD = (
    frozenset(name for name, (about, _) in _TABLE.items() if letter in about) for letter in "wspf"
)
WORDS = {name: word for name, (_, word) in _TABLE.items() if word}
"""The kernel's name: what a learner wrote to get there, where that is another word."""
