"""Hand-made samples in the shapes of real ones: what the X-ray is drawn and tested with, and its rows and lines."""

from evolution.views.xray_scene import scene

OBJECTS = {"listener": "listener:{}", "client": "conn:{}"}


def fd(number, kind, thing=None):
    texts = {"file": "/dev/null", "pipe": "pipe"}
    name = OBJECTS.get(kind, kind + ":{}").format(thing) if thing is not None else None
    return {"fd": number, "kind": kind, "text": texts.get(kind, kind), "inode": 7, "object": name}


def process(pid, *fds, call="accept(3)", state="S", depth=0, threads=None):
    calls = [call] if threads is None else threads
    return {
        "pid": pid,
        "ppid": 1 if depth == 0 else 100,
        "depth": depth,
        "name": "python",
        "state": state,
        "threads": [{"tid": pid + i, "state": state, "call": c, "wchan": ""} for i, c in enumerate(calls)],
        "fds": [fd(0, "file"), fd(1, "pipe", 1), fd(2, "pipe", 2), *fds],
        "cpu_ms": 1.0,
        "voluntary": 1,
        "involuntary": 0,
        "pss_kib": None,
    }


def connection(port, *holders, state="ESTABLISHED", unread=0, unsent=0):
    return {
        "port": port,
        "state": state,
        "accepted": bool(holders),
        "inode": port if holders else 0,
        "holders": [list(holder) for holder in holders],
        "unread": unread,
        "unsent": unsent,
    }


def xray(processes, connections=(), *, length=0, limit=4096, epolls=(), clients=(), listeners=None):
    one = [{"inode": 9, "address": "127.0.0.1:80", "length": length, "limit": limit}]
    return {
        "t": None,
        "server": {"model": "blocking", "address": "127.0.0.1:80", "pid": 100},
        "processes": processes,
        "listeners": one if listeners is None else listeners,
        "connections": list(connections),
        "epolls": list(epolls),
        "clients": list(clients),
        "sources": {"processes": "/proc/PID/stat", "listeners": "/proc/net/tcp"},
    }


LISTENER = fd(3, "listener", 9)
IDLE = xray([process(100, LISTENER)])
BLOCKED = xray(
    [process(100, LISTENER, fd(4, "client", 5000), call="recv(4)")],
    [connection(5000, (100, 4)), *(connection(5001 + i) for i in range(5))],
    length=5,
    clients=[{"id": "c1", "label": "silent 1", "port": 5000, "state": "idle"}],
)
PREFORK = xray(
    [
        process(100, LISTENER, call="select"),
        process(101, LISTENER, fd(4, "client", 5000), call="recv(4)", depth=1),
        process(102, LISTENER, depth=1),
    ],
    [connection(5000, (101, 4))],
)
FORGOTTEN = xray(
    [process(100, LISTENER, fd(4, "client", 5000)), process(101, fd(4, "client", 5000), depth=1)],
    [connection(5000, (100, 4), (101, 4)), connection(5001, (100, 5), state="CLOSE_WAIT")],
)
ENTRIES = [
    {"fd": 3, "events": ["IN", "EXCLUSIVE"], "raw": "10000001"},
    {"fd": 5, "events": ["IN", "OUT", "ET"], "raw": "80000005"},
    {"fd": 6, "events": ["ONESHOT"], "raw": "40000000"},
]
EPOLL = xray(
    [process(100, LISTENER, fd(4, "epoll", "100:4"), fd(5, "client", 5000), call="epoll_wait(4)")],
    [connection(5000, (100, 5))],
    epolls=[{"pid": 100, "fd": 4, "entries": ENTRIES}],
)
CROWD = xray(
    [process(100, LISTENER, *(fd(4 + i, "client", 5000 + i) for i in range(320)), call="select")],
    [connection(5000 + i, (100, 4 + i), unread=512 if i == 300 else 0) for i in range(320)],
)
STATES = {
    "nothing": {},
    "idle": IDLE,
    "blocked": BLOCKED,
    "prefork": PREFORK,
    "forgotten": FORGOTTEN,
    "epoll": EPOLL,
    "crowd": CROWD,
}


def rows(state, column=None):
    columns = scene(state)["columns"]
    chosen = [c for c in columns if column in (None, c["id"])]
    return {row["key"]: row for c in chosen for block in c["blocks"] for row in block["rows"]}


def lines(state, kind=None):
    return {(line["from"], line["to"]) for line in scene(state)["lines"] if kind in (None, line["kind"])}
