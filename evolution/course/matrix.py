"""The confusion matrix: every answer that ships with the exercises, and what the checkers say of it.

    python -m evolution.course.matrix [EXERCISE…] [--times 5] [--busy] [--jobs 3] [--write docs/checkers.md]

starter → not attempted; solution and right/* → passed; wrong/NAME → wrong, NAME. `--busy` adds a column with
every core busy. With `--write` the table replaces what stands between the two marks in that file.
"""

import argparse
import contextlib
import os
import platform
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from evolution.course import exercise
from evolution.lab.guarded import Guarded


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
        suffix = ".json" if task.kind == "prediction" else ".py"
        found.append(Sample(name, task.folder / f"starter{suffix}", "not_attempted"))
        found.append(Sample(name, task.folder / f"solution{suffix}", "passed"))
        found += [Sample(name, path, "passed") for path in sorted(task.folder.glob(f"right/*{suffix}"))]
        found += [Sample(name, path, path.stem) for path in sorted(task.folder.glob(f"wrong/*{suffix}"))]
    return found


def try_out(sample):
    """Check one sample once and note what was said; return the Verdict."""
    begin = time.monotonic()
    verdict = exercise.check(sample.exercise, sample.path)
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


def run(names=None, times=1, busy=False, jobs=3, tell=lambda line: None):
    """Return the Samples, each checked `times` times."""
    found = samples(names)
    with every_core_busy() if busy else contextlib.nullcontext(), ThreadPoolExecutor(jobs) as pool:
        for round_ in range(times):
            for sample, verdict in zip(found, pool.map(try_out, found), strict=True):
                if (verdict.diagnosis or verdict.outcome) != sample.expected:
                    tell(
                        f"round {round_ + 1}: {sample.exercise} {sample.name}, "
                        f"expected {sample.expected}:\n{verdict.text()}"
                    )
    return found


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
    args = parser.parse_args(argv)
    try:
        runs = {f"idle, {args.times}×": run(args.exercises, args.times, False, args.jobs, print)}
        if args.busy:
            runs[f"cores busy, {args.times}×"] = run(args.exercises, args.times, True, args.jobs, print)
        lines = table(runs)
        print("\n".join(lines))
        if args.write:
            write(args.write, lines)
    except ValueError as error:
        print(f"matrix: {error}", file=sys.stderr)
        return 2
    return 0 if all(sample.fine for found in runs.values() for sample in found) else 1


if __name__ == "__main__":
    sys.exit(main())
