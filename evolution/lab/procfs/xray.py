"""`snapshot`: what the kernel knows about one server at one moment, as a dict that JSON can carry."""

from evolution.lab.procfs.sockets import server_sockets
from evolution.lab.procfs.tree import epoll_table, walk, with_socket

_SOURCES = {
    "processes": "/proc/PID/task/TID/children, /proc/PID/stat",
    "threads": "/proc/PID/task/TID/status, syscall, wchan",
    "fds": "/proc/PID/fd",
    "cpu_ms": "clock_getcpuclockid(3), as in /proc/PID/schedstat",
    "switches": "/proc/PID/task/TID/status",
    "pss_kib": "/proc/PID/smaps_rollup",
    "epolls": "/proc/PID/fdinfo/FD",
}


def snapshot(pid, port, *, pss=False, model=None, t=None, also=(), clients=None):
    """Return the X-ray of the server whose main process is `pid` and that listens on `port`.

    Descriptors are read before TCP's table: a connection accepted in between shows as accepted with no
    holder known, never as something it was not. What vanishes meanwhile is left out; nothing is raised.
    `pss` adds each process's memory, which costs more than all the rest: ask rarely. `t` is passed through.
    `also` names processes that are not below `pid`, such as orphans. With `clients`, their ports, only these
    connections are looked up, each by itself: much cheaper on a machine with many sockets. Without a `port`
    nothing is said about sockets.
    """
    walked = [each for root in (pid, *also) for each in walk(root, pss=pss)]
    try:
        rows, source = server_sockets(port, clients) if port else ([], "not read")
    except OSError as error:
        rows, source = [], f"unreadable: {error}"
    by_inode = {row.inode: row for row in rows if row.inode}
    holders = {}
    processes = [_process(found, depth, by_inode, holders) for found, depth in walked]
    listeners = [_listener(row, source) for row in rows if row.state == "LISTEN"]
    return {
        "t": t,
        "server": {"model": model, "address": listeners[0]["address"] if listeners else None, "pid": pid},
        "processes": processes,
        "listeners": listeners,
        "connections": [_connection(row, holders) for row in rows if row.state != "LISTEN"],
        "epolls": [
            _epoll(each["pid"], fd["fd"]) for each in processes for fd in each["fds"] if fd["kind"] == "epoll"
        ],
        "clients": [],
        "sources": {**_SOURCES, "listeners": source, "connections": source},
    }


def _process(found, depth, by_inode, holders):
    fds = []
    for descriptor in found.descriptors:
        descriptor = with_socket(descriptor, by_inode)
        if descriptor.kind == "client":
            holders.setdefault(descriptor.inode, []).append([found.pid, descriptor.fd])
        fds.append(
            {
                "fd": descriptor.fd,
                "kind": descriptor.kind,
                "text": descriptor.text,
                "inode": descriptor.inode,
                "object": _object(found.pid, descriptor),
            }
        )
    return {
        "pid": found.pid,
        "ppid": found.ppid,
        "depth": depth,
        "name": found.name,
        "state": found.state,
        "threads": [_thread(each) for each in found.threads],
        "fds": fds,
        "cpu_ms": round(found.cpu_ns / 1e6, 3),
        "voluntary": found.voluntary,
        "involuntary": found.involuntary,
        "pss_kib": found.pss_kib,
    }


def _thread(thread):
    call = thread.call
    return {
        "tid": thread.tid,
        "state": thread.state,
        "call": call.text if call else None,
        "syscall": call.name if call else None,
        "wchan": thread.wchan,
    }


def _object(pid, descriptor):
    """The name of the thing at the other end of a descriptor: equal names are one thing."""
    if descriptor.kind == "listener":
        return f"listener:{descriptor.inode}"
    if descriptor.kind == "client":
        return f"conn:{descriptor.peer[1]}"
    if descriptor.kind == "epoll":
        return f"epoll:{pid}:{descriptor.fd}"
    if descriptor.kind == "pipe":
        return f"pipe:{descriptor.inode}"
    return None


def _listener(row, source):
    limit = row.tx if source.startswith("netlink") else None
    return {"inode": row.inode, "address": "{}:{}".format(*row.local), "length": row.rx, "limit": limit}


def _connection(row, holders):
    return {
        "port": row.remote[1],
        "state": row.state,
        "accepted": not row.queued,
        "inode": row.inode,
        "holders": holders.get(row.inode, []) if row.inode else [],
        "unread": row.rx,
        "unsent": row.tx,
    }


def _epoll(pid, fd):
    entries = [{"fd": each.fd, "events": list(each.events), "raw": each.raw} for each in epoll_table(pid, fd)]
    return {"pid": pid, "fd": fd, "entries": entries}
