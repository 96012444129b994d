"""The X-ray's column of the kernel: listening sockets with their queues, epoll tables, connections.

Each function gives rows (xray_scene says what a row is). Beside them goes `where`: which row stands for an
object such as "conn:54064", so that lines from descriptors find it even when it is folded away.
"""

from collections import Counter

from evolution.views import marks
from evolution.views.xray_words import TCP, count, hidden, is_forgotten, is_full, is_held, owners, ranges, row

MANY_CONNECTIONS, SHOWN_CONNECTIONS = 24, 8
_ADDED = "; the kernel adds ERR and HUP (18) by itself"
_DISARMED = "; it has fired, and is silent until epoll_ctl arms it again"


def _fold(rows, most):
    """Split connections into those shown and those folded: the telling ones first, in their own order."""
    if len(rows) <= most:
        return rows, []
    telling = sorted(rows, key=lambda c: (_is_plain(c), rows.index(c)))[: most - 1]
    chosen = {id(connection) for connection in telling}
    return [c for c in rows if id(c) in chosen], [c for c in rows if id(c) not in chosen]


def _is_plain(connection):
    quiet = not connection["unread"] and not connection["unsent"] and connection["state"] == "ESTABLISHED"
    return quiet and len(owners(connection)) <= 1


def kernel(state):
    where, blocks = {}, []
    order = {c["port"]: i for i, c in enumerate(state["clients"]) if c.get("port")}
    place = {(p["pid"], fd["fd"]): i for i, (p, fd) in enumerate(_descriptors(state))}
    first, nowhere = {}, len(place)
    for i, (_, fd) in enumerate(_descriptors(state)):
        first.setdefault(fd["object"], i)

    def rank(connection):
        holder = min((place.get(tuple(h), len(place)) for h in connection["holders"]), default=len(place))
        return holder, order.get(connection["port"], len(order)), connection["port"]

    taken = sorted((c for c in state["connections"] if c["accepted"]), key=rank)
    queued = sorted((c for c in state["connections"] if not c["accepted"]), key=rank)
    all_of_them = len(state["connections"]) + hidden(state, "connections")
    most = SHOWN_CONNECTIONS if all_of_them > MANY_CONNECTIONS else MANY_CONNECTIONS
    waiting = _connection_rows(queued, most, state, where, "queued", 0)
    for listener in state["listeners"]:
        name = f"listener:{listener['inode']}"
        where[name] = name
        blocks.append({"key": name, "rows": _listener(listener, state), "at": first.get(name, nowhere)})
    if len(state["listeners"]) == 1:
        blocks[0]["rows"] += waiting
    elif waiting:
        head = row("queued", "heading", "In one of the queues", facts=["the kernel does not say in which"])
        blocks.append({"key": "queued", "rows": [head, *waiting], "at": -1})
    for epoll in state["epolls"]:
        name = f"epoll:{epoll['pid']}:{epoll['fd']}"
        where[name] = name
        blocks.append({"key": name, "rows": _epoll(epoll, state), "at": first.get(name, nowhere)})
    rows = _connection_rows(taken, most, state, where, "held", hidden(state, "connections"))
    blocks += _by_owner(rows, first, nowhere)
    blocks.sort(key=lambda block: block["at"])
    return blocks, where


def _by_owner(rows, first, nowhere):
    """Connections held by one process stay together, so that lines from processes do not cross."""
    groups = {}
    for each in rows:
        groups.setdefault((each.get("pid") or "").split()[0] if each.get("pid") else "", []).append(each)
    blocks = []
    for owner, group in groups.items():
        title = "Accepted connection" + "s" * (len(group) > 1 or group[0]["kind"] == "more")
        head = row(f"held:{owner}", "heading", title)
        at = first.get(group[0]["key"], nowhere)
        blocks.append({"key": f"held:{owner}", "rows": [head, *group], "at": at})
    return blocks


def _descriptors(state):
    return [(process, fd) for process in state["processes"] for fd in process["fds"]]


def _listener(listener, state):
    name, length, limit = f"listener:{listener['inode']}", listener["length"], listener["limit"]
    shared = len(_holders(state, name))
    most = f"{limit:,}" if limit is not None else "?"
    if is_full(listener):
        words = f"{length:,} of {most} wait: full"
    else:
        words = f"{length:,} of {most} {'waits' if length == 1 else 'wait'}"
    facts = [
        f"{listener['address']}",
        f"inode {listener['inode']}",
        f"{count(shared, 'descriptor')} refer to it",
    ]
    return [
        row(
            name,
            "listener",
            "Listening socket",
            listener["address"],
            facts=facts,
            words="the kernel shakes hands for it; accept(2) takes the oldest connection from its queue",
        ),
        row(
            f"queue:{listener['inode']}",
            "queue",
            words,
            head="Accept queue",
            facts=[words, "limit: the smaller of listen's backlog and net.core.somaxconn"],
            words="full when the length has passed the limit: then the kernel drops the client's last ACK",
            length=length,
            limit=limit,
            wrong=is_full(listener),
        ),
    ]


def _holders(state, name):
    return [(process["pid"], fd["fd"]) for process, fd in _descriptors(state) if fd["object"] == name]


def _connection_rows(connections, most, state, where, group, missing):
    shown, folded = _fold(connections, most)
    several = len(state["processes"]) > 1
    rows = [_connection(c, several) for c in shown]
    for connection in shown:
        where[f"conn:{connection['port']}"] = f"conn:{connection['port']}"
    if folded or missing:
        key = f"more:{group}"
        where.update({f"conn:{c['port']}": key for c in folded})
        where.update({"more": key} if missing else {})
        counts = Counter(c["state"] for c in folded)
        states = [f"{n:,} {name}" for name, n in counts.most_common()] + [f"{missing:,} not listed"] * bool(
            missing
        )
        text = f"… and {len(folded) + missing:,} more"
        look = "client.queued" if group == "queued" else "client.served"
        rows.append(
            row(key, "more", text, ", ".join(states), facts=states, look=look, n=len(folded) + missing)
        )
    return rows


def _connection(connection, several):
    pids, state = owners(connection), connection["state"]
    notes = [state] * (state != "ESTABLISHED")
    notes += [f"{marks.size(connection['unread'])} unread"] if connection["unread"] else []
    notes += [f"{marks.size(connection['unsent'])} unsent"] if connection["unsent"] else []
    if not connection["accepted"]:
        look = "client.connecting" if state == "SYN_RECV" else "client.queued"
        held = "no accept has taken it yet: its inode is 0"
    else:
        look = "client.served" if is_held(connection) else None
        held = ", ".join(f"fd {fd} of {pid}" for pid, fd in connection["holders"])
        held = f"held as {held}" if held else "held by no process that was seen"
    return row(
        f"conn:{connection['port']}",
        "conn",
        f"port {connection['port']}",
        " · ".join(notes),
        head=f"Connection from port {connection['port']}",
        facts=[
            held,
            f"{connection['unread']:,} bytes unread by the server",
            f"{connection['unsent']:,} bytes not yet acknowledged by the client",
        ],
        words=f"{state}: {TCP.get(state, 'a state of TCP')}",
        look=look,
        pid=(str(pids[0]) + (f" +{len(pids) - 1}" if len(pids) > 1 else "")) if pids and several else "",
        wrong=is_forgotten(connection),
    )


def _epoll(epoll, state):
    pid, here = epoll["pid"], {fd["fd"]: fd for p, fd in _descriptors(state) if p["pid"] == epoll["pid"]}
    groups = {}
    for entry in epoll["entries"]:
        groups.setdefault((tuple(entry["events"]), entry["raw"]), []).append(entry["fd"])
    name = f"epoll:{pid}:{epoll['fd']}"
    several = len(state["processes"]) > 1
    of = f"{pid}, fd {epoll['fd']}" if several else f"fd {epoll['fd']}"
    watched = count(len(epoll["entries"]), "descriptor")
    rows = [row(name, "epoll", "Epoll table", of, facts=[f"fd {epoll['fd']} of {pid}", f"watches {watched}"])]
    rows[0]["words"] = f"/proc/{pid}/fdinfo/{epoll['fd']}"
    for (events, raw), fds in groups.items():
        dead = [fd for fd in fds if fd not in here] if not hidden(state, "fds") else []
        armed = any(event not in ("ET", "ONESHOT", "EXCLUSIVE") for event in events)
        rows.append(
            row(
                f"watch:{pid}:{epoll['fd']}:{raw}",
                "watch",
                "fd " + ranges(fds),
                "not open here" if dead else "" if armed else "disarmed",
                head=f"{count(len(fds), 'descriptor')} watched for {' '.join(events) or 'nothing'}",
                facts=[
                    f"fd {ranges(fds)}",
                    f"fd {ranges(dead)} is no longer open in this process" if dead else "",
                ],
                words=f"events: {raw} in hex" + (_ADDED if armed else _DISARMED),
                chips=list(events),
                watches=[f"fd:{pid}:{fd}" for fd in fds],
                wrong=bool(dead),
            )
        )
    return rows
