"""How long polite clients wait beside silent ones and beside a slow reader, for every model."""

import statistics
from contextlib import ExitStack

from bench import crowd, servers
from evolution import GENERATIONS

BESIDE = {
    "nobody": (0, 0),
    "1 silent": (1, 0),
    "4 silent": (4, 0),
    "100 silent": (100, 0),
    "1 slow reader": (0, 1),
}
POLITE = 100
"""Clients, each with a connection of its own for every request, five requests a second."""


SHORT = ("nobody", "1 silent", "100 silent")


def measure(full, models=GENERATIONS, rounds=None, seconds=None):
    """Return rows {server, beside, p50_ms, p99_ms, worst_ms, answered, waiting}; no answer at all: None."""
    rounds, seconds = rounds or (5 if full else 1), seconds or (1.0 if full else 0.6)
    rows = []
    for model in models:
        for beside in BESIDE if full else SHORT:
            others = BESIDE[beside]
            with ExitStack() as stack:
                server = stack.enter_context(servers.start(model))
                clients = stack.enter_context(crowd.Crowd(server.port, 1))
                crowded = stack.enter_context(crowd.Crowd(server.port, 2))
                clients.tell(f"polite 10 {crowd.PAUSE}")  # warm
                crowded.tell(f"open {others[0]}")
                if others[1]:
                    crowded.tell("stall")
                found = [clients.tell(f"polite {POLITE} {seconds}") for _ in range(rounds)]
            rows.append({"server": model, "beside": beside, **_summary(found)})
    return {"rows": rows, "seconds": seconds}


def _summary(found):
    def median(pick):
        values = [pick(run["took"]) * 1000 for run in found if run["took"]]
        return round(statistics.median(values), 2) if values else None

    return {
        "p50_ms": median(lambda took: took[len(took) // 2]),
        "p99_ms": median(lambda took: took[len(took) * 99 // 100]),
        "worst_ms": median(lambda took: took[-1]),
        "answered": sum(len(run["took"]) for run in found),
        "waiting": sum(run["waiting"] for run in found),
    }


def table(found):
    """Return the rows as Markdown: median / 99 % / worst, in milliseconds."""
    beside = list(dict.fromkeys(row["beside"] for row in found["rows"]))
    lines = [
        "| server: p50 / p99 / worst, ms, beside | " + " | ".join(beside) + " |",
        "|---" * (len(beside) + 1) + "|",
    ]
    cells = {}
    for row in found["rows"]:
        answered = f"{row['p50_ms']} / {row['p99_ms']} / {row['worst_ms']}"
        cell = answered if row["answered"] else f"nobody served in {found['seconds']:g} s"
        cells.setdefault(row["server"], []).append(cell)
    lines += [f"| {server} | {' | '.join(mine)} |" for server, mine in cells.items()]
    return "\n".join(lines)
