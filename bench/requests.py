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
    "fork",
    "blocking",
)
SHORT = ("epoll_c", "nginx", *MODELS[:5])
PEERS = (
    "uvloop_protocol", "asyncio_protocol", "asyncio_streams", "selectors", "gevent", "uvicorn", "gunicorn",
    "tornado", "aiohttp", "http_server", "nginx_deferred", "epoll_loop_deferred",
)  # fmt: skip
WAYS = {
    "keep-alive": {"connections": 64},
    "new connection": {"connections": 64, "close": True},
    "16 pipelined": {"connections": 16, "pipeline": 16},
}


def measure(full):
    """Return rows {server, way, us, spread, ratio, p50_us, p99_us, rps, errors, load}; ratio 1.0 is C."""
    names = ("epoll_c", "nginx", *MODELS, *PEERS) if full else SHORT
    with_workers = {name: 64 if name == "prefork" else None for name in names}
    return compare(with_workers, WAYS, rounds=5 if full else 3)


def compare(names, ways, rounds, cores=None, seconds=1):
    """Start the servers `names` ({name: workers}), load them in turns, stop them. The first is ratio 1.0."""
    load.require()
    running, missing = {}, {}
    try:
        for name, workers in names.items():
            try:
                running[name] = servers.start(name, workers=workers, cores=cores)
            except servers.Missing as reason:
                missing[name] = str(reason)
        rows = [row for way in ways for row in _one_way(running, way, ways[way], rounds, seconds)]
    finally:
        for server in running.values():
            server.stop()
    return {"rows": rows, "missing": missing}


def _one_way(running, way, options, rounds, seconds):
    """Forth and back through the servers, so that a slow moment of the machine meets neighbours alike."""
    costs, last = {name: {} for name in running}, {}
    for turn in range(rounds):
        for name, server in list(running.items())[:: -1 if turn % 2 else 1]:
            limited = {"connections": 1} if name == "blocking" else {}
            before = server.cpu()
            try:
                seen = load.wrk(server.port, seconds, **{**options, **limited})
            except RuntimeError:
                continue
            if seen.requests:
                costs[name][turn] = (server.cpu() - before) / seen.requests * 1e6
                last[name] = seen
    base = next(iter(costs.values()))
    for name, found in costs.items():
        if found:
            seen = last[name]
            yield {
                "server": name,
                "way": way,
                "us": round(statistics.median(found.values()), 2),
                "spread": round(max(found.values()) - min(found.values()), 2),
                "ratio": round(
                    statistics.median(us / base[turn] for turn, us in found.items() if turn in base), 3
                ),
                "rps": round(seen.requests / seen.seconds),
                "p50_us": round(seen.p50 * 1e6),
                "p99_us": round(seen.p99 * 1e6),
                "errors": seen.errors,
                "load": round(seen.share, 2),
            }


def table(found):
    """Return the rows as Markdown."""
    first = found["rows"][0]["server"] if found["rows"] else ""
    lines = [f"| server | way | µs of CPU a request | × {first} | p50 | p99 | errors | load's core |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in found["rows"]:
        lines.append(
            f"| {row['server']} | {row['way']} | {row['us']} ± {row['spread'] / 2:.1f} | {row['ratio']:.2f} "
            f"| {row['p50_us']} µs | {row['p99_us']} µs | {row['errors']} | {row['load']:.0%} |"
        )
    lines += [f"\nNot measured: {name}: {why}" for name, why in found["missing"].items()]
    return "\n".join(lines)
