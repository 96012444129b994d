"""The figures of the race: which are measured, and how one is put into words."""

import statistics
from dataclasses import dataclass, field

from evolution.lab.sentence import seconds as in_words

CONNECTIONS = 64
"""Keep-alive connections of the load."""

CROWDS = (1_100, 10_000)
"""Connections at once: above select's limit, and C10K."""


@dataclass
class Value:
    """One figure of the race: `value` in the column's unit, None when there is none; `said` in words."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    said: str = ""
    failed: bool = False
    """Whether the server did not do what was asked: `said` tells what it did."""
    limited: bool = False
    """Whether the load generator, and not the server, was the limit in one of the rounds."""
    note: str = ""
    """What else there is to know."""
    rounds: list = field(default_factory=list)


@dataclass(frozen=True)
class Column:
    """What is measured. `scale` is how bars grow: "linear" or "log"; `better` which way is better."""

    name: str
    title: str
    step: str
    options: dict
    scale: str
    better: str = "less"


def columns(seconds):
    """Return the columns: the load first, then latency, memory, crowds."""
    load = {"connections": CONNECTIONS, "seconds": seconds}
    found = [
        Column("rate", "answers a second", "throughput", load, "linear", "more"),
        Column("cpu", "CPU for a request", "throughput", load, "linear"),
        Column("alone", "answer, alone", "alone", {}, "log"),
        Column("silent", "beside a silent one", "beside_silent", {}, "log"),
        Column("slow", "beside a slow one", "beside_slow", {}, "log"),
        Column("memory", "idle connection", "hold", {}, "log"),
    ]
    for n in CROWDS:
        found.append(Column(f"crowd{n}", f"{n:,} at once", "crowd", {"connections": n}, "linear", "more"))
    return found


def add(value, figure, words):
    """Add a round: the value is the median of the rounds, the spread their smallest and largest."""
    value.rounds.append(figure)
    value.value, value.low, value.high = statistics.median(value.rounds), min(value.rounds), max(value.rounds)
    value.said = ("≥ " if value.limited else "") + words(value.value)


def latency(found):
    if found["median"] is None:
        waited = in_words(found["waited"])
        return Value(said=f"nobody for {waited}", failed=True, note=found["why"])
    return Value(found["median"], found["low"], found["high"], in_words(found["median"]))


def crowd(found):
    n, answered = found["connections"], found["answered"]
    late = (
        "nobody was served beside them"
        if found["late"] is None
        else f"one more waited {in_words(found['late'])}"
    )
    alive = "" if found["alive"] else "; the server died"
    said = "all" if answered == n else f"{answered:,}"
    return Value(
        answered, said=said, failed=answered < n, note=f"{answered:,} of {n:,} answered; {late}{alive}"
    )


def rate_words(value):
    return f"{value / 1000:.0f} k" if value >= 9950 else f"{value / 1000:.1f} k"


def us_words(value):
    return f"{value:.0f} µs" if value >= 9.95 else f"{value:.1f} µs"
