"""The confusion matrix: every answer that ships with the exercises, and what the checkers say of it.

    python -m evolution.course.matrix [EXERCISE…] [--times 5] [--busy] [--jobs 3] [--write docs/checkers.md]

starter → not attempted; solution and right/* → passed; wrong/NAME → wrong, NAME. `--busy` adds a column with
every core busy. With `--write` the table replaces what stands between the two marks in that file.

Each verdict is kept in a journal at once: a run that was interrupted goes on where it ended. What it holds
counts only for the same answer, checked by the same code.
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from evolution.course import exercise, shipped
from evolution.lab.guarded import Guarded

JOURNAL = ".ci/out/matrix.jsonl"


@dataclass
class Sample:
    """One answer that ships with an exercise, what should be said of it, and what was said."""

    exercise: str
    path: Path
    expected: str
    """An outcome, or a diagnosis."""
    said: Counter = field(default_factory=Counter)
    longest: float = 0.0

    @property
    def name(self):
        return (
            f"{self.path.parent.name}/{self.path.stem}"
            if self.path.parent.name in ("right", "wrong")
            else self.path.stem
        )

    @property
    def fine(self):
        return set(self.said) == {self.expected}


def samples(names=None):
    """Return all Samples, or those of some exercises."""
    found = []
    for name in names or exercise.catalogue():
        task = exercise.load(name)
        for path in shipped.answers(task):
            expected = "not_attempted" if path.stem == "starter" else "passed"
            found.append(Sample(name, path, path.stem if path.parent.name == "wrong" else expected))
    return found


def try_out(sample):
    """Check one sample once and note what was said; return the Verdict."""
    begin = time.monotonic()
    with shipped.as_file(sample.path) as path:
        verdict = exercise.check(sample.exercise, path)
    sample.longest = max(sample.longest, time.monotonic() - begin)
    sample.said[verdict.diagnosis or verdict.outcome] += 1
    return verdict


@contextlib.contextmanager
def every_core_busy():
    """Keep each core busy with one endless loop, under a guard, while the block runs."""
    with contextlib.ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            stack.enter_context(Guarded([sys.executable, "-I", "-S", "-c", "while True: pass"]))
        yield


class Journal:
    """Verdicts in a file of JSON lines, one for each check; without a file they are kept in memory only."""

    def __init__(self, path=None):
        self.path = Path(path) if path else None
        self.known = {}
        if self.path and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):  # cut short by an interruption
                    row = json.loads(line)
                    self.known[row["key"]] = row

    def take(self, sample, key):
        """Count what the journal knows of one check; return whether it knows it."""
        row = self.known.get(key)
        if row:
            sample.said[row["said"]] += 1
            sample.longest = max(sample.longest, row["seconds"])
        return bool(row)

    def keep(self, sample, key, said, seconds):
        row = {"key": key, "sample": f"{sample.exercise} {sample.name}", "said": said, "seconds": seconds}
        self.known[key] = row
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def digest(sample):
    """Return what one check depends on in one word: the answer, its exercise, the checkers' common code."""
    folder, here = exercise.load(sample.exercise).folder, Path(__file__).parent
    files = [
        *sorted(folder.glob("*.*")),
        *sorted(folder.parent.glob("*.py")),
        *sorted(here.glob("*.py")),
    ]
    found = hashlib.sha256(shipped.text(sample.path).encode() + b"\0")
    for path in files:
        found.update(path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def run(names=None, times=1, busy=False, jobs=3, tell=lambda line: None, journal=None):
    """Return the Samples, each checked `times` times, `jobs` at once."""
    found, journal = samples(names), journal or Journal()
    column = "busy" if busy else "idle"
    words = {id(sample): digest(sample) for sample in found}
    with contextlib.ExitStack() as stack:
        if busy:
            stack.enter_context(every_core_busy())
        for number in range(1, times + 1):
            begin = time.monotonic()
            keys = {id(sample): f"{words[id(sample)]} {column} {number}" for sample in found}
            waiting = [sample for sample in found if not journal.take(sample, keys[id(sample)])]
            with ThreadPoolExecutor(jobs) as pool:
                futures = {pool.submit(timed, sample): sample for sample in waiting}
                try:
                    for future in as_completed(futures):
                        sample, (verdict, seconds) = futures[future], future.result()
                        said = verdict.diagnosis or verdict.outcome
                        journal.keep(sample, keys[id(sample)], said, seconds)
                        if said != sample.expected:
                            tell(f"{sample.exercise} {sample.name}, not {sample.expected}: {verdict.text()}")
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
            fine = sum(sample.fine for sample in found)
            took = f"{len(waiting)} checks in {time.monotonic() - begin:.0f} s"
            tell(
                f"{column}, round {number} of {times}: {fine} of {len(found)} answers as expected so far, "
                f"{took}"
            )
    return found


def timed(sample):
    """Check one sample; return (Verdict, seconds)."""
    begin = time.monotonic()
    return try_out(sample), round(time.monotonic() - begin, 2)


def table(runs):
    """Return Markdown lines; `runs` maps a column's title to its Samples."""
    columns = list(runs)
    lines = [
        f"| exercise | answer | expected | {' | '.join(columns)} | slowest, s |",
        "|---" * (4 + len(columns)) + "|",
    ]
    for row in zip(*runs.values(), strict=True):
        said = [", ".join(f"{what} {count}×" for what, count in sample.said.most_common()) for sample in row]
        said = [f"**{words}**" if not sample.fine else words for words, sample in zip(said, row, strict=True)]
        first = row[0]
        slowest = max(sample.longest for sample in row)
        lines.append(
            f"| {first.exercise} | {first.name} | {first.expected} | {' | '.join(said)} | {slowest:.1f} |"
        )
    checks = sum(sum(sample.said.values()) for found in runs.values() for sample in found)
    right = sum(sample.said[sample.expected] for found in runs.values() for sample in found)
    machine = f"Linux {platform.release()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    where = f"{machine}, {time.strftime('%Y-%m-%d')}"
    lines += ["", f"{right} of {checks} verdicts as expected ({where})."]
    return lines


def write(path, lines):
    """Replace what stands between the marks in a file. Raises ValueError when it has none."""
    text = Path(path).read_text(encoding="utf-8")
    body = "\n".join(lines)
    marks = r"(<!-- matrix -->\n).*?(<!-- end of matrix -->)"
    fresh, count = re.subn(marks, lambda found: f"{found[1]}{body}\n{found[2]}", text, flags=re.S)
    if not count:
        raise ValueError(f"expected the marks <!-- matrix --> and <!-- end of matrix --> in {path}")
    Path(path).write_text(fresh, encoding="utf-8")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__.split("\n")[0])
    parser.add_argument("exercises", nargs="*")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--busy", action="store_true", help="a second column with every core busy")
    parser.add_argument("--jobs", type=int, default=3, help="checks at the same time")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument(
        "--journal", metavar="FILE", help="go on where this file ends; with --write: " + JOURNAL
    )
    args = parser.parse_args(argv)
    journal = Journal(args.journal or (JOURNAL if args.write else None))

    def tell(line):
        print(line, flush=True)

    try:
        both = {f"idle, {args.times}×": False, f"cores busy, {args.times}×": True}
        runs = {
            title: run(args.exercises, args.times, busy, args.jobs, tell, journal)
            for title, busy in both.items()
            if args.busy or not busy
        }
        lines = table(runs)
        print("\n".join(lines))
        if args.write:
            write(args.write, lines)
    except ValueError as error:
        print(f"matrix: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("matrix: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0 if all(sample.fine for found in runs.values() for sample in found) else 1


if __name__ == "__main__":
    sys.exit(main())
