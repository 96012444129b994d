"""Hand-made states in the shapes of real runs: what the views are drawn and tested with.

One crowd for all four models: two polite clients, a silent one for 2 s, four more polite ones; an answer
costs 120 ms of work. Only the server differs, so whatever looks different is the model.
"""

from itertools import pairwise

CONNECT = [0.10, 0.18, 0.30, 0.42, 0.54, 0.66, 0.78]
WORK = 0.12


def span(state, start, end, note="", **more):
    return {
        "state": state,
        "from": round(start, 4),
        "to": None if end is None else round(end, 4),
        "note": note,
        **more,
    }


def polite(number, connect, served, pid, work=WORK, fd=5):
    start = connect + 0.0004
    queued = served - start > 0.05
    spans = [span("connecting", connect, start, "SYN_SENT")]
    if queued:
        spans.append(span("queued", start, served, "inode 0 in /proc/net/tcp: no accept has taken it"))
    elif served > start:
        spans.append(span("waiting", start, served, "connected; not sampled yet"))
    spans.append(span("served", served, served + work, f"fd {fd} of {pid}", pid=pid))
    spans.append(span("sending", served + work, served + work + 0.03, "2.0 KiB of 2.0 KiB", share=1, pid=pid))
    return {
        "id": f"c{number}",
        "label": f"polite {number if number < 3 else number - 1}",
        "card": "polite",
        "spans": spans,
        "end": {"state": "done", "t": round(served + work + 0.03, 4), "note": "end of file"},
    }


def silent(number, connect, served, pid, seconds=2.0, fd=5):
    spans = [span("connecting", connect, connect + 0.0004, "SYN_SENT")]
    if served - connect > 0.05:
        spans.append(
            span("queued", connect + 0.0004, served, "inode 0 in /proc/net/tcp: no accept has taken it")
        )
    spans.append(
        span("served", max(served, connect + 0.0004), connect + seconds, f"fd {fd} of {pid}", pid=pid)
    )
    return {
        "id": f"c{number}",
        "label": "silent 1",
        "card": "silent",
        "spans": spans,
        "end": {
            "state": "closed",
            "t": connect + seconds,
            "note": "closed by the client after 2.0 s of silence",
        },
    }


def queue(lanes, limit=1024):
    """The accept queue that the queued spans imply."""
    edges = sorted(
        edge
        for lane in lanes
        for s in lane["spans"]
        if s["state"] == "queued"
        for edge in ((s["from"], 1), (s["to"], -1))
    )
    steps, length = [[0.0, 0]], 0
    for t, change in edges:
        length += change
        steps.append([t, length])
    return {"limit": limit, "steps": steps}


def process(pid, label, busy, asleep, end, depth=0, busy_state="running"):
    """A lane of sleeps; `busy` holds (from, to) on the processor, `asleep` (from, call)."""
    cuts = sorted({0.0, end, *(t for pair in busy for t in pair), *(t for t, _ in asleep)})
    spans = []
    for start, stop in pairwise(cuts):
        if any(a <= start < b for a, b in busy):
            new = span(busy_state, start, stop, "")
        else:
            new = span("asleep", start, stop, [call for t, call in asleep if t <= start][-1])
        if spans and spans[-1]["state"] == new["state"] and spans[-1]["note"] == new["note"]:
            spans[-1]["to"] = new["to"]
        else:
            spans.append(new)
    return {"id": f"p{pid}", "label": label, "depth": depth, "spans": spans, "end": None}


def state(title, sentence, lanes, processes, end, **more):
    return {
        "title": title,
        "sentence": sentence,
        "now": end,
        "end": end,
        "running": False,
        "recorded": False,
        "lanes": lanes,
        "queue": queue(lanes),
        "processes": processes,
        "guesses": [],
        **more,
    }


def blocking():
    pid, lanes, busy, asleep, free = 4711, [], [], [(0.0, "accept4(3)")], 0.0
    for number, connect in enumerate(CONNECT, 1):
        start = max(free, connect + 0.0004)
        if number == 3:
            lanes.append(silent(number, connect, start, pid))
            free = connect + 2.0
            asleep += [(start, "recvfrom(5)"), (free, "accept4(3)")]
        else:
            lanes.append(polite(number, connect, start, pid))
            busy.append((start, start + WORK))
            free = start + WORK + 0.03
            asleep += [(start, "sendto(5)"), (free, "accept4(3)")]
    sentence = (
        "Seven clients; the silent one held the server in recvfrom(5) for 2.0 s; "
        "the four behind it waited up to 2.1 s in the queue."
    )
    return state(
        "blocking · one silent client",
        sentence,
        lanes,
        [process(pid, "blocking 4711", busy, asleep, 3.0)],
        3.0,
    )


def prefork():
    pids = [5001, 5002, 5003]
    free = dict.fromkeys(pids, 0.0)
    busy = {pid: [] for pid in pids}
    asleep = {pid: [(0.0, "accept4(3)")] for pid in pids}
    lanes = []
    for number, connect in enumerate(CONNECT, 1):
        pid = min(pids, key=free.get)
        start = max(free[pid], connect + 0.0004)
        if number == 3:
            lanes.append(silent(number, connect, start, pid))
            free[pid] = connect + 2.0
            asleep[pid] += [(start, "recvfrom(5)"), (free[pid], "accept4(3)")]
        else:
            lanes.append(polite(number, connect, start, pid))
            busy[pid].append((start, start + WORK))
            free[pid] = start + WORK + 0.03
            asleep[pid] += [(start, "sendto(5)"), (free[pid], "accept4(3)")]
    master = process(5000, "master 5000", [], [(0.0, "wait4()")], 3.0)
    crew = [process(pid, f"worker {pid}", busy[pid], asleep[pid], 3.0, depth=1) for pid in pids]
    sentence = "Seven clients, three workers; the silent one held one worker for 2.0 s; nobody waited longer than 29 ms."
    return state("prefork · one silent client", sentence, lanes, [master, *crew], 3.0)


def select():
    pid, lanes, busy, free = 6001, [], [], 0.0
    for number, connect in enumerate(CONNECT, 1):
        start = max(free, connect + 0.0004)
        if number == 3:
            lanes.append(silent(number, connect, start, pid, fd=6))
        else:
            lanes.append(polite(number, connect, start, pid, fd=5 if number < 3 else 7))
            busy.append((start, start + WORK))
            free = start + WORK + 0.03
    lane = process(pid, "select 6001", busy, [(0.0, "pselect6()")], 3.0)
    sentence = "Seven clients in one process; the silent one held nobody; the longest wait was 31 ms."
    return state("select · one silent client", sentence, lanes, [lane], 3.0)


def reactor():
    pid, lanes, crew = 7001, [], {7002: [], 7003: []}
    free = dict.fromkeys(crew, 0.0)
    loop = []
    for number, connect in enumerate(CONNECT, 1):
        if number == 3:
            lanes.append(silent(number, connect, connect + 0.0004, pid, fd=7))
            continue
        tid = min(crew, key=free.get)
        start = max(free[tid], connect + 0.0004)
        lanes.append(polite(number, connect, start, pid, fd=6 if number < 3 else 8))
        crew[tid].append((start, start + WORK))
        free[tid] = start + WORK + 0.03
        loop.append((connect, connect + 0.012))
    main = process(pid, "reactor 7001", loop, [(0.0, "epoll_wait(4)")], 3.0)
    threads = [
        process(tid, f"thread {tid}", busy, [(0.0, "futex()")], 3.0, depth=1) for tid, busy in crew.items()
    ]
    sentence = (
        "Seven clients; one loop asleep in epoll_wait(4), two threads at work; the silent one held nobody."
    )
    return state("reactor · one silent client", sentence, lanes, [main, *threads], 3.0)


def every_mark():
    """Each client state, each end, each state of a process, and a prediction: the picture for the legend."""
    pid = 8001
    lanes = [
        {"id": "c1", "label": "polite 1", "card": "polite", "end": {"state": "done", "t": 1.1, "note": "end of file"},
         "spans": [span("connecting", 0.0, 0.15, "SYN_SENT"), span("waiting", 0.15, 0.3, "connected; not sampled"),
                   span("queued", 0.3, 0.6, "inode 0"), span("served", 0.6, 0.9, "fd 5 of 8001", pid=pid),
                   span("sending", 0.9, 1.1, "2.0 KiB", share=1)]},
        {"id": "c2", "label": "slow_reader 1", "card": "slow_reader", "end": None,
         "spans": [span("connecting", 0.1, 0.101), span("served", 0.101, 0.4, "fd 6 of 8001", pid=pid),
                   span("sending", 0.4, 0.7, "6 MiB of 20 MiB", share=0.3), span("sending", 0.7, 1.2, "", share=0.4),
                   span("sending", 1.2, None, "18 MiB of 20 MiB", share=0.9)]},
        {"id": "c3", "label": "keep_alive 1", "card": "keep_alive", "end": {"state": "closed", "t": 1.7, "note": ""},
         "spans": [span("connecting", 0.2, 0.201), span("served", 0.201, 0.4, "fd 7", pid=pid),
                   span("idle", 0.4, 0.9, "keep-alive"), span("served", 0.9, 1.0, "fd 7", pid=pid), span("idle", 1.0, 1.7)]},
        {"id": "c4", "label": "polite 2", "card": "polite", "spans": [span("connecting", 0.3, 0.32)],
         "end": {"state": "refused", "t": 0.32, "note": "ECONNREFUSED"}},
        {"id": "c5", "label": "polite 3", "card": "polite", "spans": [span("connecting", 0.4, 1.4)],
         "end": {"state": "timed_out", "t": 1.4, "note": "ETIMEDOUT"}},
        {"id": "c6", "label": "resetting 1", "card": "resetting",
         "spans": [span("connecting", 0.5, 0.501), span("queued", 0.501, 1.0), span("served", 1.0, 1.3, "fd 8", pid=pid)],
         "end": {"state": "reset", "t": 1.3, "note": "ECONNRESET"}},
    ]  # fmt: skip
    processes = [
        {"id": "p8000", "label": "master 8000", "end": None, "spans": [span("asleep", 0.0, None, "wait4()")]},
        {"id": "p8001", "label": "worker 8001", "depth": 1, "end": None,
         "spans": [span("asleep", 0, 0.6, "accept4(3)"), span("running", 0.6, 0.72), span("asleep", 0.72, 1.3, "recvfrom(5)"),
                   span("asleep", 1.3, None, "epoll_wait(4)")]},
        {"id": "p8002", "label": "worker 8002", "depth": 1, "end": {"state": "gone", "t": 1.7, "note": "SIGKILL"},
         "spans": [span("asleep", 0, 0.5, "accept4(3)"), span("stopped", 0.5, 1.2, "SIGSTOP"), span("zombie", 1.2, 1.7, "Z")]},
    ]  # fmt: skip
    return {
        "title": "every mark",
        "sentence": "Six clients: one served, one still reading, one idle, one refused, one timed out, one reset.",
        "now": 2.0,
        "end": None,
        "running": True,
        "recorded": False,
        "lanes": lanes,
        "queue": queue(lanes[:1] + lanes[5:]),
        "processes": processes,
        "guesses": [{"lane": "c1", "t": 1.5, "label": "your prediction"}],
    }


def crowd(count=1000, seconds=6.0):
    """Many clients on an epoll loop: most idle, some failing; lanes become bands."""
    pid, lanes = 9001, []
    for number in range(count):
        connect = 0.1 + 3.0 * number / count
        served = connect + 0.004 + (0.5 * ((number * 37) % 101) / 101) ** 3
        lane = {
            "id": f"c{number}", "label": f"idle {number}", "card": "idle", "end": None,
            "spans": [span("connecting", connect, connect + 0.002), span("queued", connect + 0.002, served, "inode 0"),
                      span("served", served, served + 0.05, f"fd {number + 5}", pid=pid),
                      span("idle", served + 0.05, seconds - 0.5 + 0.4 * number / count)],
        }  # fmt: skip
        kind = "reset" if number % 97 == 13 else "done"
        lane["end"] = {
            "state": kind,
            "t": lane["spans"][-1]["to"],
            "note": "ECONNRESET" if kind == "reset" else "",
        }
        lanes.append(lane)
    lane = process(pid, "epoll_loop 9001", [(0.1, 3.2)], [(0.0, "epoll_wait(4)")], seconds)
    sentence = f"{count:,} clients in one process; 11 were reset; the longest wait was 130 ms."
    return state(f"epoll · {count:,} clients", sentence, lanes, [lane], seconds)
