"""What one wait costs: select, poll and epoll_wait among many descriptors of which one is ready.

    found = measure(idle=(10, 100, 1000, 5000))
    found.slopes        {"select": 85.1, "poll": 92.4, "epoll": 0.0}, ns for each idle descriptor
    found.at("poll", 1000)
    print(found)

Measured in a process of its own (cost_probe.py), which may have as many descriptors as the machine allows.
"""

import json
import math
import sys
from dataclasses import dataclass

from evolution.lab.guarded import Guarded
from evolution.lab.recording import this_machine
from evolution.lab.sentence import seconds

KINDS = ("select", "poll", "epoll")
IDLE = (10, 100, 1000, 5000)

SECONDS = 1.2
"""How long is measured; setting up and taking down come on top, about 0.3 s."""

PATIENCE = 30.0
"""Seconds after which a probe that says nothing is given up."""

MOST = 100_000
"""Descriptors that are asked for at most; the machine's limit is usually lower."""

PROBE = [sys.executable, "-P", "-m", "evolution.lab.cost_probe"]


class CostError(ValueError):
    """The cost cannot be measured as asked; the message says what was expected and what came."""


@dataclass(frozen=True)
class Point:
    """One kind of call among `n` idle descriptors. Times in µs of processor time for one call."""

    kind: str
    n: int
    us: float | None
    """The median of the batches; None where the call cannot be made: see `error`."""
    low: float | None = None
    high: float | None = None
    """The middle half of the batches lies between them."""
    ready: int = 0
    """How many descriptors the call found ready."""
    batches: int = 0
    error: str = ""

    def __repr__(self):
        if self.error:
            return f"{self.kind:6} {self.n:>6,} idle   {self.error}"
        spread = f"half of the batches {us(self.low)} to {us(self.high)}"
        return f"{self.kind:6} {self.n:>6,} idle   {us(self.us)} for one call ({spread})"


@dataclass(frozen=True)
class Line:
    """The fitted law of one kind: `base_us` + n · `ns` / 1000 µs for one call."""

    kind: str
    base_us: float
    ns: float
    """For each descriptor more."""

    def at(self, n):
        """Return the µs that the line gives for `n` descriptors."""
        return self.base_us + n * self.ns / 1000


@dataclass(frozen=True)
class Cost:
    """Everything that was measured in one run; prints as the text twin of the Scaling view does."""

    points: tuple[Point, ...]
    lines: dict[str, Line]
    active: int | str
    edge: dict | None
    """Where select ends: {"n": how many descriptors fitted, "fd": the first that did not, "error"}."""
    left_out: tuple[int, ...]
    """Numbers that this machine's limit of descriptors does not allow."""
    room: int
    """How many descriptors it allows."""
    guesses: tuple[dict, ...]
    """The predictions: {"kind", "n", "us"}."""
    machine: dict

    @property
    def slopes(self):
        """ns for each descriptor more, by kind."""
        return {kind: line.ns for kind, line in self.lines.items()}

    def at(self, kind, n):
        """Return the measured Point. Raises CostError when there is none."""
        for point in self.points:
            if (point.kind, point.n) == (kind, n):
                return point
        measured = ", ".join(f"{each.kind} {each.n:,}" for each in self.points)
        raise CostError(f"expected one of the measured points, {measured}; not {kind} {n:,}")

    def as_dict(self):
        """Return the state of the Scaling view."""
        return {
            "title": "The cost of one wait" + (", everybody ready" if self.active == "all" else ""),
            "sentence": self.sentence,
            "active": self.active,
            "points": [vars(point) for point in self.points],
            "lines": [vars(line) for line in self.lines.values()],
            "edge": self.edge,
            "guesses": list(self.guesses),
            "left_out": list(self.left_out),
            "room": self.room,
            "machine": self.machine,
            "recorded": False,
        }

    @property
    def sentence(self):
        """What was seen, in words, with its figures."""
        clauses = [*self._growth(), *self._off(), *self._missing()]
        if not self.lines:
            return "; ".join(["Too few points for a line", *clauses]) + "."
        numbers = sorted({point.n for point in self.points if not point.error})
        kind = "descriptors, all ready" if self.active == "all" else "idle descriptors"
        return f"From {numbers[0]:,} to {numbers[-1]:,} {kind}: {'; '.join(clauses)}."

    def _growth(self):
        """How each kind grew, the cheapest last."""
        for line in sorted(self.lines.values(), key=lambda line: -line.ns):
            points = [point for point in self.points if point.kind == line.kind and not point.error]
            first, last = points[0], points[-1]
            if last.us < 2 * first.us:
                yield f"{line.kind} stayed at {us(last.us)} for one call"
                continue
            clause = f"{line.kind} rose from {us(first.us)} to {us(last.us)}, {ns(line.ns)} for each"
            ended = line.kind == "select" and self.edge and any(p.error for p in self.points)
            yield clause + (f", and ended at descriptor {self.edge['fd']:,}" if ended else "")

    def _off(self):
        for guess in self.guesses:
            if (seen := self._seen(guess)) is not None:
                more, less = max(seen, guess["us"]), max(min(seen, guess["us"]), 1e-9)
                way = "as measured" if more < 1.25 * less else f"{more / less:.2g} times too "
                way += "" if more < 1.25 * less else "much" if guess["us"] > seen else "little"
                yield f"you predicted {us(guess['us'])} for {guess['kind']} at {guess['n']:,}: {way}"

    def _seen(self, guess):
        found = [p.us for p in self.points if (p.kind, p.n) == (guess["kind"], guess["n"])]
        if found and found[0] is not None:
            return found[0]
        return self.lines[guess["kind"]].at(guess["n"]) if guess["kind"] in self.lines else None

    def _missing(self):
        if self.left_out:
            numbers = ", ".join(f"{n:,}" for n in self.left_out)
            yield f"this machine's limit allows {self.room:,} descriptors, so {numbers} is left out"

    def __repr__(self):
        rows = [self.sentence, "", *map(repr, self.points)]
        return "\n".join(rows)


def measure(idle=IDLE, active=1, kinds=KINDS, guess=None, budget=SECONDS):
    """Measure one wait of each kind among `idle` descriptors and `active` ready ones; return a Cost.

    `active` is a number, or "all": then none is idle. `guess` is a prediction by kind, {"poll": 900}: µs of
    one call at the largest number, or {"poll": {1000: 80, 5000: 900}}. Takes about `budget` seconds and 0.3.
    Raises CostError for what cannot be measured.
    """
    idle, kinds = _checked(idle, active, kinds, budget)
    guesses = _guesses(guess or {}, kinds, idle[-1])
    plan = {"idle": idle, "active": active, "kinds": kinds, "seconds": budget}
    found = _ask(plan)
    points = tuple(_point(point) for point in found["points"])
    lines = {kind: line for kind in kinds if (line := fit(kind, points))}
    left_out = tuple(n for n in idle if n > found["room"])
    return Cost(points, lines, active, found["edge"], left_out, found["room"], guesses, this_machine())


def fit(kind, points):
    """Return the Line that misses the measured points of a kind least, in proportion; None below two.

    Least squares of the logarithms, as the eye lays a line through points on a log–log plane. Of the form
    a · (1 + r · n) the best a is known for every r, so one number is searched for.
    """
    points = [(point.n, math.log(point.us)) for point in points if point.kind == kind and not point.error]
    if len({n for n, _ in points}) < 2:
        return None

    def offset(r):
        return sum(log - math.log1p(r * n) for n, log in points) / len(points)

    def error(power):
        r = 10**power
        return sum((log - math.log1p(r * n) - offset(r)) ** 2 for n, log in points)

    power = min((step / 20 for step in range(-160, 61)), key=error)
    power = min((power + step / 1000 for step in range(-50, 51)), key=error)
    base = math.exp(offset(10**power))
    return Line(kind, base, base * 10**power * 1000)


def us(value):
    """Return µs in words, two significant digits: "0.7 µs", "86 µs", "1.3 ms"."""
    return seconds(value / 1e6)


def ns(value):
    """Return ns in words: "85 ns", "0.3 ns"; less than 0.05 is none that can be told from nothing."""
    return f"{value:.2g} ns" if 0.05 <= value < 9.95 else f"{float(f'{value:.2g}'):.0f} ns"


def _point(facts):
    return Point(**{"us": None, **facts})


def _ask(plan):
    probe = Guarded(PROBE, stdin=json.dumps(plan).encode() + b"\n")
    try:
        probe.wait(PATIENCE)
    finally:
        probe.kill()
    try:
        return json.loads(probe.output)
    except ValueError:
        said = probe.last_words.strip().splitlines()[-1:] or ["nothing"]
        raise CostError(
            f"expected figures from the measuring process within {PATIENCE:g} s; it said: {said[0]}; "
            "run the cell again"
        ) from None


def _checked(idle, active, kinds, budget):
    idle = sorted({idle} if isinstance(idle, int) else set(idle))
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    if not idle or not all(isinstance(n, int) and 1 <= n <= MOST for n in idle):
        raise CostError(f"expected numbers of idle descriptors from 1 to {MOST:,}, not {idle!r}")
    if not kinds or not set(kinds) <= set(KINDS):
        raise CostError(f"expected kinds out of {', '.join(KINDS)}, not {kinds!r}")
    if active != "all" and not (isinstance(active, int) and 1 <= active <= 1000):
        raise CostError(f'expected active as a number from 1 to 1,000, or "all", not {active!r}')
    if not 0.05 <= budget <= 20:
        raise CostError(f"expected from 0.05 to 20 seconds, not {budget!r}")
    return idle, kinds


def _guesses(guess, kinds, largest):
    found = []
    for kind, said in guess.items():
        if kind not in kinds:
            raise CostError(f"expected predictions for {', '.join(kinds)}, not for {kind!r}")
        for n, value in (said if isinstance(said, dict) else {largest: said}).items():
            if not isinstance(value, (int, float)) or not value > 0:
                raise CostError(f"expected a prediction in µs, above 0, not {value!r}")
            found.append({"kind": kind, "n": int(n), "us": float(value)})
    return tuple(found)
