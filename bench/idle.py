"""What idle connections cost those that speak: select and poll look at each of them, epoll at none."""

import statistics

from bench import crowd, machine, servers

KINDS = ("select_loop", "poll_loop", "epoll_loop")
FULL = (0, 10, 100, 500, 1000, 2000, 5000, 10_000, 19_500)
SHORT = (0, 100, 900, 5000)
SELECT_HOLDS = 900
"""Idle connections beside 64 active ones that fit below descriptor 1,024."""

ACTIVE = (1, 64)


def measure(full, points=None, rounds=None, seconds=0.3):
    """Return rows {server, active, idle, us, spread} and slopes {server, active, ns}, ns for an idle one."""
    points = points or (FULL if full else SHORT)
    rounds = rounds or (5 if full else 3)
    limit = machine.more_descriptors() - ACTIVE[-1] - 50
    rows = []
    for kind in KINDS:
        with servers.start(kind) as server, crowd.Crowd(server.port, 1) as few:
            few.tell(f"open {ACTIVE[-1]}")
            few.tell("speak")
            with crowd.Crowd(server.port, 2) as many:
                held = 0
                for idle in points:
                    if idle > (SELECT_HOLDS if kind == "select_loop" else limit):
                        continue
                    many.tell(f"open {idle - held}")
                    held = idle
                    few.tell(f"burst {ACTIVE[-1]} 0.1")  # whoever came has been accepted
                    rows += [_row(kind, server, few, idle, active, rounds, seconds) for active in ACTIVE]
    return {"rows": rows, "slopes": [_slope(rows, kind, active) for kind in KINDS for active in ACTIVE]}


def _row(kind, server, few, idle, active, rounds, seconds):
    costs = []
    for _ in range(rounds):
        before = server.cpu()
        answers = few.tell(f"burst {active} {seconds}")
        costs.append((server.cpu() - before) / answers * 1e6)
    us, spread = statistics.median(costs), max(costs) - min(costs)
    return {"server": kind, "active": active, "idle": idle, "us": round(us, 2), "spread": round(spread, 2)}


def _slope(rows, kind, active):
    """Least squares through the points: nanoseconds for each idle connection and request."""
    mine = [row for row in rows if (row["server"], row["active"]) == (kind, active)]
    slope, _ = statistics.linear_regression([row["idle"] for row in mine], [row["us"] for row in mine])
    return {"server": kind, "active": active, "ns": round(slope * 1000, 2)}


def table(found):
    """Return the rows as Markdown."""
    idle = sorted({row["idle"] for row in found["rows"]})
    lines = [
        "| µs of CPU a request beside idle connections: | "
        + " | ".join(f"{n:,}" for n in idle)
        + " | slope |"
    ]
    lines.append("|---" * (len(idle) + 2) + "|")
    for slope in found["slopes"]:
        us = {
            row["idle"]: row["us"]
            for row in found["rows"]
            if (row["server"], row["active"]) == (slope["server"], slope["active"])
        }
        cells = " | ".join(f"{us[n]:,.1f}" if n in us else "–" for n in idle)
        lines.append(f"| {slope['server']}, {slope['active']} active | {cells} | {slope['ns']} ns |")
    return "\n".join(lines)
