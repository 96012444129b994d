"""Progress: plain files in `answers/`, which a restart, an upgrade and a moved cell leave alone.

    answers/read_line.py                     the answer as it stands
    answers/history/read_line/001.py         each attempt as it was checked
    answers/history/read_line/001.verdict    and its verdict, JSON
    answers/history/read_line/hints          how many hints have been opened
    answers/recall.jsonl                     each answer to a recall card

`export` and `restore` carry all of it in one zip file, see archive.py.
"""

import ast
import datetime
import difflib
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evolution.course import archive, exercise
from evolution.course.verdict import OUTCOMES

ANSWERS = exercise.ANSWERS
TRIES = 3
"""Different attempts after which the solution opens."""

RECALL = "recall.jsonl"


@dataclass(frozen=True)
class Attempt:
    """One check: what was checked, when, and what came of it."""

    number: int
    source: str
    outcome: str
    diagnosis: str | None
    when: str
    """UTC, ISO 8601."""


class Progress:
    """What is in one answers folder; it need not exist yet."""

    def __init__(self, folder=ANSWERS):
        self.folder = Path(folder)

    def answer(self, name):
        """Return the path of the answer as it stands. Raises UnknownExercise."""
        return self.folder / exercise.answer_file(name).name

    def write(self, name, source):
        """Replace the answer at once or not at all (rename(2)); return its path."""
        path = self.answer(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(source, encoding="utf-8", errors="surrogatepass")
        fresh.replace(path)
        return path

    def history(self, name):
        return self.folder / "history" / name

    def attempts(self, name):
        """Return [Attempt], the oldest first; a damaged pair of files is passed over."""
        found = []
        for path in sorted(self.history(name).glob("[0-9]*.verdict"), key=lambda each: int(each.stem)):
            with suppress(OSError, ValueError, KeyError, StopIteration):
                facts = json.loads(path.read_text(encoding="utf-8"))
                source = next(
                    each for each in path.parent.glob(f"{path.stem}.*") if each.suffix != ".verdict"
                )
                text = source.read_text(encoding="utf-8", errors="surrogatepass")
                if facts["outcome"] in OUTCOMES:
                    found.append(
                        Attempt(int(path.stem), text, facts["outcome"], facts.get("diagnosis"), facts["when"])
                    )
        return found

    def record(self, name, source, verdict):
        """Keep an attempt; return its number."""
        history = self.history(name)
        history.mkdir(parents=True, exist_ok=True)
        suffix = self.answer(name).suffix
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        facts = {**verdict.as_dict(), "when": now}
        number = (
            max((int(path.stem) for path in history.glob("[0-9]*.*") if path.stem.isdigit()), default=0) + 1
        )
        (history / f"{number:03}{suffix}").write_text(source, encoding="utf-8", errors="surrogatepass")
        (history / f"{number:03}.verdict").write_text(
            json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        return number

    def passed(self, name):
        return any(each.outcome == "passed" for each in self.attempts(name))

    def different_attempts(self, name):
        """Return how many attempts differ in more than layout; those not attempted do not count."""
        return len({essence(each.source) for each in self.attempts(name) if each.outcome != "not_attempted"})

    def solution_is_open(self, name):
        return self.passed(name) or self.different_attempts(name) >= TRIES

    def diff(self, name):
        """Return the difference between the last two attempts, as a unified diff; "" when there is none."""
        two = self.attempts(name)[-2:]
        if len(two) < 2:
            return ""
        texts = [each.source.splitlines() for each in two]
        names = [f"attempt {each.number}" for each in two]
        return "\n".join(difflib.unified_diff(*texts, *names, lineterm=""))

    def hints(self, name):
        with suppress(OSError, ValueError):
            return int((self.history(name) / "hints").read_text())
        return 0

    def open_hint(self, name, number):
        self.history(name).mkdir(parents=True, exist_ok=True)
        (self.history(name) / "hints").write_text(f"{max(number, self.hints(name))}\n")

    def mistakes(self):
        """Return [(exercise, diagnosis)] of all wrong attempts, the latest last, each once."""
        found = {}
        for name in exercise.catalogue():
            for each in self.attempts(name):
                if each.diagnosis:
                    found.pop((name, each.diagnosis), None)
                    found[name, each.diagnosis] = each.when
        return sorted(found, key=found.get)

    def recall(self, key, right):
        """Keep whether the answer to a recall card, CHAPTER/FUNCTION, was right."""
        self.folder.mkdir(parents=True, exist_ok=True)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
        with (self.folder / RECALL).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"card": key, "right": bool(right), "when": now}) + "\n")

    def recalled(self):
        """Return {key of a recall card: whether the last answer to it was right}."""
        found = {}
        with suppress(OSError):
            for line in (self.folder / RECALL).read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):  # a line cut short by a crash
                    facts = json.loads(line)
                    found[facts["card"]] = facts["right"]
        return found

    def summary(self):
        """Return one dict for each exercise: chapter, number, name, title, state, attempts, hints."""
        rows = []
        for name, task in exercise.catalogue().items():
            attempts = self.attempts(name)
            state = "passed" if self.passed(name) else attempts[-1].outcome if attempts else "not_attempted"
            rows.append(
                {
                    "chapter": task.chapter,
                    "number": task.text.get("number"),
                    "exercise": name,
                    "title": task.title,
                    "state": state,
                    "diagnosis": attempts[-1].diagnosis if attempts and state == "wrong" else None,
                    "attempts": len(attempts),
                    "hints": self.hints(name),
                }
            )
        return rows

    # --- one file ---

    def export(self, path):
        """Write everything into one zip file (a path or a binary file); return how many files it holds."""
        return archive.export(self.folder, path)

    def restore(self, path):
        """Add what an exported file holds; return how many files were added. Raises ValueError."""
        return archive.restore(self, path)


def essence(source):
    """Return a program without layout and comments; text that is no program is taken as it is."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


MARKS = {
    "passed": "✓",
    "wrong": "✗",
    "unrecognised": "✗",
    "crashed": "!",
    "too_slow": "…",
    "not_attempted": " ",
}


def text(rows):
    """Return the summary as lines for a terminal."""
    lines, chapter = [], None
    for row in rows:
        if row["chapter"] != chapter:
            chapter = row["chapter"]
            lines.append(chapter)
        state = row["diagnosis"] or OUTCOMES[row["state"]]
        tries = f"{row['attempts']} attempt{'s' * (row['attempts'] != 1)}"
        lines.append(f"  {MARKS[row['state']]} {row['number']}. {row['title']:44} {state}, {tries}")
    done = sum(row["state"] == "passed" for row in rows)
    lines.append(f"{done} of {len(rows)} passed")
    return "\n".join(lines)


def main(argv=None):
    """`progress [--folder F] [--json] [--export FILE | --restore FILE]`."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="evolution progress", description="Show, export or restore your progress."
    )
    parser.add_argument("--folder", default=str(ANSWERS), help="where the answers are; default: answers")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--export", metavar="FILE", help="write everything into one file")
    parser.add_argument("--restore", metavar="FILE", help="add what such a file holds")
    args = parser.parse_args(argv)
    progress = Progress(args.folder)
    try:
        if args.restore:
            print(f"{progress.restore(args.restore)} files added to {args.folder}")
        elif args.export:
            print(f"{progress.export(args.export)} files written to {args.export}")
        elif args.json:
            print(json.dumps(progress.summary(), ensure_ascii=False))
        else:
            print(text(progress.summary()))
    except (OSError, ValueError) as error:
        print(f"evolution progress: {error}", file=sys.stderr)
        return 1
    return 0
