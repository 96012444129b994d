"""What an X-ray shows, decided once for the browser and the twins: rows in columns, and lines between rows.

A row is a dict: `key` (its name, the same in every sample), `kind` (how it is drawn), `text` and `note` (left
and right), `look` (its mark in the visual language), `head`, `facts`, `words` (the tooltip: title, exact
figures, the kernel's words), `wrong` (something a learner should look at). Nothing here knows about pixels.
"""

from collections import Counter

from evolution.views import marks
from evolution.views.xray_kernel import MANY_CONNECTIONS, kernel
from evolution.views.xray_words import count, doing, hidden, ranges, row, sentence, state_of, tally

MANY_PROCESSES, SHOWN_PROCESSES = 12, 8
LOUD = ("listener", "client", "epoll")
"""Kinds of descriptors with a row of their own; all others share a quiet one."""

FACTS = {"fds": "descriptors", "cpu_ms": "processor time", "pss_kib": "memory", "epolls": "epoll tables"}
KINDS = {"listener": "listening socket", "epoll": "epoll table"}
CLIENT_LOOKS = {"connecting": "client.connecting", "receiving": "client.sending", "idle": "client.idle"}


def scene(state):
    """Return {"sentence", "server", "columns": [{"id","title","blocks","sources"}], "lines"} for an X-ray."""
    if not state or not state.get("server"):
        columns = [_column("processes", "Processes", []), _column("kernel", "Kernel", [])]
        return {
            "sentence": sentence(state),
            "server": {},
            "columns": [*columns, _column("clients", "Clients", [])],
            "lines": [],
        }
    in_kernel, where = kernel(state)
    processes, lines = _processes(state, where)
    clients = _clients(state, where, lines)
    sources = state.get("sources") or {}
    return {
        "sentence": sentence(state),
        "server": state["server"],
        "t": state.get("t"),
        "recorded": bool(state.get("recorded")),
        "columns": [
            _column(
                "processes", "Processes", processes, sources, "processes threads fds cpu_ms switches pss_kib"
            ),
            _column("kernel", "Kernel", in_kernel, sources, "listeners connections epolls"),
            _column("clients", "Clients", clients, {"clients": "what each client itself reports"}, "clients"),
        ],
        "lines": [{"from": a, "to": b, "kind": kind, "n": n} for (a, b, kind), n in lines.items()],
    }


def _column(name, title, blocks, sources=None, read=""):
    facts = [[FACTS.get(fact, fact), sources[fact]] for fact in read.split() if fact in (sources or {})]
    return {"id": name, "title": title, "blocks": blocks, "sources": facts}


# --- the processes' column; lines: {(from, to, kind): how many} ---
def _processes(state, where):
    blocks, lines = [], Counter()
    processes, missing = state["processes"], hidden(state, "processes")
    most = SHOWN_PROCESSES if len(processes) + missing > MANY_PROCESSES else MANY_PROCESSES
    for process in processes[:most]:
        blocks.append(_process(process, where, lines))
    folded = processes[most:]
    if folded or missing:
        threads = [thread for process in folded for thread in process["threads"]]
        words = tally(threads) if threads else ""
        text = f"… and {len(folded) + missing:,} more processes"
        more = row("more:processes", "more", text, facts=[words], n=len(folded) + missing)
        rows = [more, *([row("more:doing", "words", words)] if words else [])]
        blocks.append({"key": "more:processes", "depth": 0, "rows": rows})
        for process in folded:
            for fd in process["fds"]:
                if fd["object"] in where:
                    lines["more:processes", where[fd["object"]], fd["kind"]] += 1
    return blocks, lines


def _process(process, where, lines):
    pid, (word, look, meaning) = process["pid"], state_of(process["state"])
    switches = (
        f"went to sleep {process['voluntary']:,} times, was interrupted {process['involuntary']:,} times"
    )
    memory = process.get("pss_kib")
    rows = [
        row(
            f"p:{pid}",
            "process",
            f"{process['name']} {pid}",
            word,
            letter=process["state"],
            look=look,
            facts=[
                f"child of {process['ppid']}",
                f"{process['cpu_ms']:,} ms of processor time",
                switches,
                f"{marks.size(memory * 1024)} of memory of its own (Pss)" if memory else "",
                count(len(process["threads"]), "thread"),
            ],
            words=f"{process['state']}: {meaning}",
        )
    ]
    if process["state"] in ("Z", "X"):
        rows.append(row(f"dead:{pid}", "words", "exit status not yet collected"))
    else:
        rows += _threads(process)
    rows += _fds(process, where, lines)
    return {"key": f"p:{pid}", "depth": process["depth"], "rows": rows}


def _threads(process):
    groups = {}
    for thread in process["threads"]:
        groups.setdefault(doing(thread), []).append(thread)
    if len(groups) > 6:
        by_name, groups = groups, {}
        for words, threads in by_name.items():
            groups.setdefault(words.split("(")[0], []).extend(threads)
    rows = []
    for words, threads in groups.items():
        first, n = threads[0], len(threads)
        word, look, meaning = state_of(first["state"])
        asleep = look == "process.asleep"
        call = words.partition(" in ")[2] or word
        kind = marks.sleep_kind(call)
        rows.append(
            row(
                f"t:{process['pid']}:{words}",
                "thread",
                f"{n:,} × {call}" if n > 1 else call,
                head=f"{count(n, 'thread')} {words}" if n > 1 else f"Thread {first['tid']}, {words}",
                facts=[
                    f"threads {ranges(t['tid'] for t in threads)}" if n > 1 else "",
                    marks.SLEEPS[kind][1] if asleep else meaning,
                ],
                words=f"wchan: {first['wchan']}" if first.get("wchan") not in (None, "", "0") else "",
                look=f"sleeps.{kind}" if asleep else look,
            )
        )
    return rows


def _fds(process, where, lines):
    pid, sleepers = process["pid"], {}
    for thread in process["threads"]:
        name, _, fd = (thread.get("call") or "").partition("(")
        if fd.rstrip(")").isdigit():
            sleepers.setdefault(int(fd.rstrip(")")), name)
    rows, quiet, folded = [], [], {}
    for fd in process["fds"]:
        key, target = f"fd:{pid}:{fd['fd']}", where.get(fd["object"])
        if fd["kind"] not in LOUD:
            path = f"/proc/{pid}/fd/{fd['fd']}"
            quiet.append(row(key, "fd", _short(fd), fd=fd["fd"], facts=[fd["text"]], words=path))
            continue
        if target and target.startswith("more:"):
            folded.setdefault(target, []).append(fd["fd"])
            continue
        note = sleepers.get(fd["fd"], "")
        facts = [fd["text"], f"inode {fd['inode']}" if fd["inode"] else ""]
        facts += [f"a thread sleeps here in {note}({fd['fd']})"] if note else []
        more = {"fd": fd["fd"], "head": f"Descriptor {fd['fd']} of {pid}"}
        rows.append(row(key, "fd", _short(fd), note, facts=facts, words=f"/proc/{pid}/fd/{fd['fd']}", **more))
        if target:
            lines[key, target, fd["kind"]] += 1
    for target, fds in folded.items():
        key = f"fds:{pid}:{target}"
        text = f"{count(len(fds), 'more connection')}"
        rows.append(row(key, "fd", text, fd=f"{fds[0]}…", facts=[f"fd {ranges(fds)}"], n=len(fds)))
        lines[key, target, "client"] += len(fds)
    if quiet:
        kinds = dict.fromkeys(r["text"] + "s" * (r["text"] in ("pipe", "socket")) for r in quiet)
        fds, text = ranges(r["fd"] for r in quiet), ", ".join(kinds)
        facts = [f"{r['fd']}: {r['facts'][0]}" for r in quiet]
        rows.append(
            row(f"quiet:{pid}", "quiet", text, fds, head=f"Descriptors {fds}", facts=facts, inner=quiet)
        )
    return rows


def _short(fd):
    if fd["kind"] == "client":
        return f"connection {fd['object'].partition(':')[2]}" if fd["object"] else "connection"
    return KINDS.get(fd["kind"], fd["text"])


# --- the clients' column: each beside its connection ---
def _clients(state, where, lines):
    known = {client["port"]: client for client in state["clients"] if client.get("port")}
    rows, others, order = [], Counter(), {name: i for i, name in enumerate(where)}
    for connection in sorted(state["connections"], key=lambda c: order[f"conn:{c['port']}"]):
        port = connection["port"]
        beside, client = where[f"conn:{port}"], known.pop(port, None)
        if beside.startswith("more:"):
            others[beside, client["state"] if client else "", client is None] += 1
            continue
        key = f"client:{port}"
        rows.append(_client(key, client, port) | {"beside": beside})
        lines[key, beside, "tcp"] += 1
    for group in dict.fromkeys(group for group, _, _ in others):
        counts = {name: n for (where_to, name, _), n in others.items() if where_to == group}
        total = sum(counts.values()) + (hidden(state, "connections") if group == where.get("more") else 0)
        states = ", ".join(f"{n:,} {_plain(name)}" for name, n in counts.items() if name)
        more = {"n": total, "beside": group}
        rows.append(row(f"client:{group}", "more", f"{total:,} more", states, facts=[states], **more))
        lines[f"client:{group}", group, "tcp"] += total
    rest = [client for client in state["clients"] if not client.get("port") or client["port"] in known]
    rows += [
        _client(f"client:{client['id']}", client, client.get("port")) for client in rest[:MANY_CONNECTIONS]
    ]
    if len(rest) > MANY_CONNECTIONS:
        left = rest[MANY_CONNECTIONS:]
        counts = Counter(_plain(client["state"]) for client in left)
        states = ", ".join(f"{n:,} {word}" for word, n in counts.most_common())
        rows.append(
            row("client:rest", "more", f"… and {len(left):,} more", states, facts=[states], n=len(left))
        )
    return [{"key": "clients", "rows": rows}] if rows else []


def _client(key, client, port):
    if client is None:
        facts = ["a program that this lab did not start"]
        return row(key, "client", f"port {port}", head=f"The program at port {port}", facts=facts, look=None)
    state = client["state"]
    look = f"ends.{state}" if state in marks.ENDS else CLIENT_LOOKS.get(state)
    facts = [f"as it sees itself: {_plain(state)}", f"port {port}" if port else "has no connection"]
    return row(key, "client", client["label"], _plain(state), facts=facts, look=look)


def _plain(state):
    return (state or "").replace("_", " ")
