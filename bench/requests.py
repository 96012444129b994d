"""Processor time for each request: the course's models beside their peers, in one interleaved run."""

import statistics

from bench import load, servers

MODELS = (
    "select_loop",
    "poll_loop",
    "epoll_loop",
    "reactor",
    "multireactor",
    "threads",
    "prefork",
    "blocking",
)
SHORT = ("epoll_c", "nginx", *MODELS)
PEERS = (
    "uvloop_protocol", "asyncio_protocol", "asyncio_streams", "selectors", "gevent", "uvicorn", "gunicorn",
    "tornado", "aiohttp", "http_server", "nginx_deferred",
)  # fmt: skip
WAYS = {
    "keep-alive": {"connections": 64},
    "new connection": {"connections": 64, "close": True},
    "16 pipelined": {"connections": 16, "pipeline": 16},
}
ONE_BY_ONE = ("blocking", "prefork")
"""They serve as many connections as they have processes, so they get no more."""


def measure(full):
    """Return rows {server, way, us, ratio, p50_us, p99_us, errors, load}; ratio 1.0 is epoll_loop."""
    names = SHORT + PEERS if full else SHORT
    rounds, seconds = (5, 2) if full else (3, 1)
    running, missing = {}, {}
    try:
        for name in names:
            try:
                workers = 64 if name == "prefork" else None
                running[name] = servers.start(name, workers=workers)
            except servers.Missing as reason:
                missing[name] = str(reason)
        rows = [row for way in WAYS for row in _one_way(running, way, rounds, seconds)]
    finally:
        for server in running.values():
            server.stop()
    return {"rows": rows, "missing": missing}


def _one_way(running, way, rounds, seconds):
    costs, last = {name: [] for name in running}, {}
    for _ in range(rounds):
        for name, server in running.items():
            options = dict(WAYS[way])
            if name == "blocking":
                options["connections"] = 1
            before = server.cpu()
            try:
                seen = load.wrk(server.port, seconds, **options)
            except RuntimeError:
                continue
            if seen.requests:
                costs[name].append((server.cpu() - before) / seen.requests * 1e6)
                last[name] = seen
    base = statistics.median(costs["epoll_loop"])
    for name, found in costs.items():
        if found:
            seen, us = last[name], statistics.median(found)
            yield {
                "server": name,
                "way": way,
                "us": round(us, 2),
                "spread": round(max(found) - min(found), 2),
                "ratio": round(us / base, 3),
                "p50_us": round(seen.p50 * 1e6),
                "p99_us": round(seen.p99 * 1e6),
                "errors": seen.errors,
                "load": round(seen.share, 2),
            }


def table(found):
    """Return the rows as Markdown."""
    lines = ["| server | way | µs of CPU a request | × epoll_loop | p50 | p99 | errors | load's core |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in found["rows"]:
        lines.append(
            f"| {row['server']} | {row['way']} | {row['us']} ± {row['spread'] / 2:.1f} | {row['ratio']} "
            f"| {row['p50_us']} µs | {row['p99_us']} µs | {row['errors']} | {row['load']:.0%} |"
        )
    lines += [f"\nNot measured: {name}: {why}" for name, why in found["missing"].items()]
    return "\n".join(lines)
