"""The result of a check: an outcome, what was observed, the misconception, a question. Never the fix."""

from dataclasses import dataclass, field

OUTCOMES = {
    "passed": "passed",
    "wrong": "wrong, and it has a name",
    "unrecognised": "wrong, in a way this checker does not know",
    "crashed": "the program broke down",
    "not_attempted": "not attempted yet",
    "too_slow": "this machine was too slow to tell",
}


@dataclass(frozen=True)
class Verdict:
    """What `check` returns. Raises ValueError for an outcome that does not exist."""

    exercise: str
    outcome: str
    diagnosis: str | None = None
    """The misconception's code, only with the outcome "wrong"."""
    evidence: tuple = ()
    """Lines: what was done, what came, what was expected; facts only."""
    question: str | None = None
    name: str | None = None
    """The misconception in a few words."""
    sentence: str | None = None
    """Why it is reasonable, and what is so instead."""
    output: str = ""
    """What the learner's program printed, as far as it was kept."""
    details: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.outcome not in OUTCOMES:
            raise ValueError(f"expected an outcome, one of {', '.join(OUTCOMES)}, not {self.outcome!r}")
        if (self.outcome == "wrong") != (self.diagnosis is not None):
            raise ValueError(
                f"expected a diagnosis exactly when wrong, not {self.diagnosis!r} when {self.outcome}"
            )

    @property
    def passed(self):
        return self.outcome == "passed"

    def as_dict(self):
        """Return what `python -m evolution check --json` prints."""
        return {
            "exercise": self.exercise,
            "outcome": self.outcome,
            "diagnosis": self.diagnosis,
            "evidence": list(self.evidence),
            "question": self.question,
        }

    def text(self):
        """Return it as plain text, for a terminal and as the twin of the card."""
        lines = [f"{self.exercise}: {OUTCOMES[self.outcome]}"]
        if self.diagnosis:
            lines[0] = f"{self.exercise}: wrong: {self.diagnosis}" + (f" ({self.name})" if self.name else "")
        lines += [f"  {line}" for line in self.evidence]
        if self.sentence:
            lines.append(self.sentence)
        if self.question:
            lines.append(f"? {self.question}")
        return "\n".join(lines)


class Finding(Exception):
    """A check has come to a conclusion. Raised anywhere in check.py; `exercise.check` makes the Verdict."""

    outcome = None
    question = None
    """Asked instead of the one in text.toml."""
    slip = None
    """A slip in Python itself that came first, see slips.py; with the learner's line as the last evidence."""
    timeline = None
    """What was seen in the run in which it was found, as a Timeline's state; see runs.py."""

    def __init__(self, *evidence, diagnosis=None):
        super().__init__(*evidence)
        self.evidence = tuple(evidence)
        self.diagnosis = diagnosis


class Wrong(Finding):
    """A misconception that has a name: `raise Wrong("eof_spin", *evidence)`."""

    outcome = "wrong"

    def __init__(self, diagnosis, *evidence):
        super().__init__(*evidence, diagnosis=diagnosis)


class Unrecognised(Finding):
    outcome = "unrecognised"


class Crashed(Finding):
    outcome = "crashed"


class NotAttempted(Finding):
    outcome = "not_attempted"


class TooSlow(Finding):
    outcome = "too_slow"
