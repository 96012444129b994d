"""The kernel's own view of a server, read from /proc: no root needed, nothing added to the server.

- `parse`    text of /proc → plain tuples; pure functions
- `calls`    the system call in which a thread sleeps
- `sockets`  TCP's tables: /proc/net/tcp, and the same from the kernel by netlink
- `tree`     processes, threads, descriptors, epoll tables
- `xray`     `snapshot`: all of it at one moment, as a dict
"""

from evolution.lab.procfs.calls import Call, parse_syscall
from evolution.lab.procfs.parse import (
    Descriptor,
    Interest,
    Stat,
    Status,
    parse_descriptor,
    parse_epoll,
    parse_pss,
    parse_schedstat,
    parse_stat,
    parse_status,
)
from evolution.lab.procfs.sockets import (
    Queue,
    TcpRow,
    connection,
    listen_queue,
    listening,
    parse_tcp,
    server_sockets,
    tcp,
)
from evolution.lab.procfs.tree import Process, Thread, children, epoll_table, process, pss_kib, tree
from evolution.lab.procfs.xray import snapshot

__all__ = [
    "Call",
    "Descriptor",
    "Interest",
    "Process",
    "Queue",
    "Stat",
    "Status",
    "TcpRow",
    "Thread",
    "children",
    "connection",
    "epoll_table",
    "listen_queue",
    "listening",
    "parse_descriptor",
    "parse_epoll",
    "parse_pss",
    "parse_schedstat",
    "parse_stat",
    "parse_status",
    "parse_syscall",
    "parse_tcp",
    "process",
    "pss_kib",
    "server_sockets",
    "snapshot",
    "tcp",
    "tree",
]
