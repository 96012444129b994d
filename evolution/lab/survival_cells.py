"""The runs of the survival grid: who comes in each of them, and how it is judged."""

import statistics
from dataclasses import dataclass

from evolution.lab.sentence import seconds

POLITE = 4
"""The others of each run: they come right after the card's client."""

LATE = 0.25
"""Seconds from which on an answer is called late. An answer beside nobody takes less than a hundredth."""

STAY = 120.0
"""Seconds that a silent client would stay: longer than any run."""

CROWDS = {
    "silent": [("silent", 1, {"for": STAY})],
    "dripping": [("dripping", 1)],
    # 20 MB: an answer of 4 vanishes in the kernel's buffers, and nobody would wait for the reader
    "slow_reader": [("slow_reader", 1, {"path": "/big?bytes=20000000"})],
    "half_closing": [("half_closing", 1)],
    "resetting": [("resetting", 1, {"when": when}) for when in ("asking", "waiting", "reading")],
    "pipelining": [("pipelining", 1, {"requests": 50})],
    "idle": [("idle", 100, {"for": STAY})],
    "vanishing": [("vanishing", 10)],
    "keep_alive": [("keep_alive", 1, {"requests": 10})],
}
"""Who comes before the polite ones."""

USUAL = tuple(card for card in CROWDS if card != "keep_alive")

VERDICTS = ("served", "late", "some", "nobody", "failed")
"""served: all at once. late: all, one after LATE or later. some: not all. nobody: none, and it still ran.
failed: the server died, or the run itself went wrong."""


@dataclass(frozen=True)
class Cell:
    """What came of one run."""

    model: str
    card: str
    verdict: str
    answered: int
    """How many of the polite clients were answered."""
    median: float | None
    slowest: float | None
    """Seconds that the answered ones waited from their request to the first byte."""
    seconds: float
    """How long the run took."""
    own: str
    """What became of the card's own clients: "1 done", "2 reset, 1 done"."""
    sentence: str
    """What the run's timeline says."""

    @property
    def figure(self):
        """The cell in a few letters: "4 ms", "0.4 s", "2 of 4", "2 s"."""
        if self.verdict in ("served", "late"):
            return figure_of(self.median if self.verdict == "served" else self.slowest)
        if self.verdict == "some":
            return f"{self.answered} of {POLITE}"
        return f"{self.seconds:.0f} s" if self.verdict == "nobody" else "failed"

    @property
    def words(self):
        """The cell in words."""
        return {
            "served": f"others served in {self.figure}",
            "late": f"others served, the last after {self.figure}",
            "some": f"{self.figure} others served",
            "nobody": f"nobody served for {self.figure}",
            "failed": "the server or the run failed",
        }[self.verdict]


def judge(model, card, story):
    """Return the Cell of a run that has ended."""
    lanes = list(story.lanes.values())
    others = [lane for lane in lanes if lane.card == "polite"]
    waits = [lane.wait for lane in others if lane.wait is not None]
    ends = {}
    for lane in lanes:
        if lane.card == card:
            state = lane.end["state"].replace("_", " ") if lane.end else "unfinished"
            ends[state] = ends.get(state, 0) + 1
    if story.death or len(others) < POLITE:
        verdict = "failed"
    elif len(waits) == POLITE:
        verdict = "served" if max(waits) < LATE else "late"
    else:
        verdict = "some" if waits else "nobody"
    return Cell(
        model=model,
        card=card,
        verdict=verdict,
        answered=len(waits),
        median=round(statistics.median(waits), 6) if waits else None,
        slowest=round(max(waits), 6) if waits else None,
        seconds=round(story.now, 3),
        own=", ".join(f"{n} {state}" for state, n in ends.items()),
        sentence=story.as_dict()["sentence"],
    )


def figure_of(duration):
    """Return seconds in the few letters of a cell: "0.2 ms", "4.3 ms", "130 ms", "0.4 s", "2 s"."""
    return seconds(duration) if duration >= 0.00095 else f"{max(duration * 1000, 0.1):.1f} ms"
