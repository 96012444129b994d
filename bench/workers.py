"""Several workers: what a request costs beside peers with as many, and how connections spread over them."""

import statistics
import time

from bench import crowd, machine, requests, servers

TWO = {"nginx": 2, "multireactor": 2, "uvicorn": 2, "gunicorn": 2}
SHARING = {
    "SO_REUSEPORT": ("multireactor", ()),
    "one listener, EPOLLEXCLUSIVE": ("multireactor", ("--share", "listener")),
    "one listener, all woken": ("shared_listener", ()),
}
CREW = 8


def measure(full, rounds=None, trickle=200, burst=400):
    """Return `rows` as the requests' measure does, and `balance` {sharing, way, busiest, wakeups}."""
    rounds = rounds or (5 if full else 3)
    ways = {way: requests.WAYS[way] for way in ("keep-alive", "new connection")}
    found = requests.compare(TWO if full else dict(list(TWO.items())[:2]), ways, rounds, cores=machine.CORES)
    found["balance"] = [
        {
            "sharing": sharing,
            "way": way,
            **_balance(*how, way, {"trickle": trickle, "burst": burst}[way], rounds),
        }
        for sharing, how in SHARING.items()
        for way in ("trickle", "burst")
    ]
    return found


def _balance(name, options, way, count, rounds):
    """Open silent connections, and see in /proc which worker has how many and how often each woke up."""
    busiest, wakeups = [], []
    for _ in range(rounds):
        with servers.start(name, workers=CREW, cores=machine.CORES, options=options) as server:
            while len(machine.tree(server.pid)) <= CREW:
                time.sleep(0.02)
            crew = machine.tree(server.pid)[1:]
            with crowd.Crowd(server.port, 1) as clients:
                clients.tell("open 1")  # so that all of them have made what they keep
                held, woken = _counts(crew, 1)
                at_a_time = count if way == "burst" else 1
                for so_far in range(0, count, at_a_time):
                    clients.tell(f"open {at_a_time}")
                    held_now, woken_now = _counts(crew, sum(held) + so_far + at_a_time)
                shares = [after - before for after, before in zip(held_now, held, strict=True)]
            busiest.append(max(shares) / (sum(shares) / CREW))
            wakeups.append((sum(woken_now) - sum(woken)) / sum(shares))
    return {"busiest": round(statistics.median(busiest), 2), "wakeups": round(statistics.median(wakeups), 2)}


def _counts(crew, least):
    """Descriptors of each worker and how often it has gone to sleep, once all sleep and have `least`."""
    deadline = time.monotonic() + crowd.PATIENCE
    while time.monotonic() < deadline:
        held = [len(machine.descriptors(pid)) for pid in crew]
        if sum(held) >= least and all(map(machine.asleep, crew)):
            return held, [machine.sleeps(pid) for pid in crew]
        time.sleep(0.001)
    raise RuntimeError(f"expected {CREW} workers that sleep and hold {least} descriptors, not {held}")


def table(found):
    """Return the rows as Markdown."""
    lines = [
        requests.table(found),
        "",
        "| 8 workers | connections come | busiest / mean | wake-ups an accept |",
    ]
    lines.append("|---|---|---|---|")
    for row in found["balance"]:
        lines.append(f"| {row['sharing']} | in a {row['way']} | {row['busiest']} | {row['wakeups']} |")
    return "\n".join(lines)
