"""What an idle connection costs in memory, for every model; and a hundred thousand of them at once."""

import time
from contextlib import ExitStack

from bench import crowd, machine, servers

HOLDS = {
    "blocking": 1, "fork": 50, "threads": 400, "prefork": 50, "select_loop": 900, "poll_loop": 5000,
    "epoll_loop": 5000, "reactor": 5000, "multireactor": 5000,
}  # fmt: skip
"""Connections held at the same time: as many as are enough to see the cost of one."""

PEERS = {
    "nginx": 5000, "asyncio_protocol": 5000, "asyncio_streams": 5000, "uvloop_protocol": 5000, "gevent": 5000,
}  # fmt: skip

A_PROCESS = 17_000
"""Connections of one worker or one crowd, well below a limit of 20,000 descriptors."""


def measure(full, models=None, many=None):
    """Return rows {server, connections, kib} and {connections, workers, served, seconds, mib} for many."""
    machine.more_descriptors()
    rows, missing = [], {}
    for name, count in (models or HOLDS | (PEERS if full else {})).items():
        try:
            rows.append(_one(name, count))
        except servers.Missing as reason:
            missing[name] = str(reason)
    return {"rows": rows, "many": _many(many or (100_000 if full else 20_000)), "missing": missing}


def _one(name, count):
    """The crew of prefork is as large as the crowd: its idle connections cost a process each."""
    workers = count if name == "prefork" else None
    with servers.start(name, workers=workers) as server, crowd.Crowd(server.port, 1) as clients:
        if name == "prefork":
            while len(machine.tree(server.pid)) <= count:
                time.sleep(0.05)
            with servers.start(name, workers=1) as alone:
                before = machine.pss_kib(alone.pid)
            clients.tell(f"open {count}")
        else:
            clients.tell("open 1")
            clients.tell("speak")
            before = machine.pss_kib(server.pid)
            clients.tell(f"open {count - 1}")
        served = clients.tell("speak")
        kib = (machine.pss_kib(server.pid) - before) / max(count - 1, 1)
    return {"server": name, "connections": count, "served": served, "kib": round(kib, 2)}


def _many(count):
    workers = -(-count // A_PROCESS)
    with ExitStack() as stack:
        server = stack.enter_context(servers.start("multireactor", workers=workers, cores=machine.CORES))
        while len(machine.tree(server.pid)) <= workers:
            time.sleep(0.05)
        before = machine.pss_kib(server.pid)
        crowds = [
            stack.enter_context(crowd.Crowd(server.port, number + 1, core=machine.CORES[number % 2 - 1]))
            for number in range(workers)
        ]
        began = time.monotonic()
        for each in crowds:
            each.begin(f"open {count // workers + (each is crowds[0]) * (count % workers)}")
        opened = sum(each.finish() for each in crowds)
        seconds = time.monotonic() - began
        for each in crowds:
            each.begin("speak")
        served = sum(each.finish() for each in crowds)
        mib = (machine.pss_kib(server.pid) - before) / 1024
        shares = [len(machine.descriptors(pid)) for pid in machine.tree(server.pid)[1:]]
    return {
        "connections": opened, "workers": workers, "served": served, "seconds": round(seconds, 1),
        "mib": round(mib, 1), "most_in_one_process": max(shares),
    }  # fmt: skip


def table(found):
    """Return the rows as Markdown."""
    lines = ["| server | idle connections | KiB each (Pss) |", "|---|---|---|"]
    for row in found["rows"]:
        kib = f"{row['kib']:,.1f}" if row["connections"] > 1 else "holds one, the kernel's queue the others"
        lines.append(f"| {row['server']} | {row['connections']:,} | {kib} |")
    many = found["many"]
    lines.append(
        f"\n`multireactor` with {many['workers']} workers held {many['connections']:,} idle connections, "
        f"opened in {many['seconds']} s, in {many['mib']} MiB; {many['served']:,} of them were served when "
        f"they spoke. The fullest process had {many['most_in_one_process']:,} descriptors."
    )
    lines += [f"\nNot measured: {name}: {why}" for name, why in found["missing"].items()]
    return "\n".join(lines)
