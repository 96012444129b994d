"""A report: one file with an answer and everything that its checker saw. Nothing is sent anywhere.

    save(verdict, source)                 answers/reports/read_line-1.json; from a card's button
    python -m evolution report read_line  the same for the answer as it stands, checked anew
    adopt(path, "wrong/reads_backwards")  a maintainer's step: the report becomes a wrong answer of the course

For a verdict `unrecognised`, for a wrong answer that passed, for a right one that did not.
"""

import argparse
import datetime
import json
import os
import platform
import re
import sys
from pathlib import Path

import evolution
from evolution.course import exercise, sealed
from evolution.course.verdict import OUTCOMES, Verdict

FOLDER = exercise.ANSWERS / "reports"
PLACE = re.compile(r"(wrong|right)/[a-z][a-z_0-9]*")
FIRST_LINE = re.compile(r"# %%exercise \w+\n")


def save(verdict, source, why="", folder=FOLDER):
    """Write the report on one verdict; return its path. `why` is what the learner thinks is not right."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    details = {key: verdict.details.get(key) for key in ("runs", "defences", "timeline")}
    facts = {
        "report": 1,
        "exercise": verdict.exercise,
        "why": why,
        "answer": source,
        "verdict": verdict.as_dict(),
        "output": verdict.output,
        **details,
        "machine": machine(),
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    number = 1
    while True:
        path = folder / f"{verdict.exercise}-{number}.json"
        try:
            with path.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except FileExistsError:
            number += 1
        else:
            return path


def machine():
    """Return the facts about this machine that a checker's judgement may depend on."""
    return {
        "evolution": evolution.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "uid": os.getuid(),
    }


def load(path):
    """Return the facts of a report. Raises ValueError for a file that is none."""
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        if facts["report"] != 1 or not isinstance(facts["answer"], str):
            raise ValueError("another kind of file")
        exercise.load(facts["exercise"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"expected a report saved by `evolution report`, {path}: {error}") from None
    return facts


def adopt(path, place, root=exercise.ROOT):
    """Turn a report into an answer that ships with its exercise; return the new file.

    `place` is wrong/DIAGNOSIS or right/STYLE. A new diagnosis still needs its words in text.toml and its
    `Wrong(…)` in check.py: the tests hold the three equal. Raises ValueError for anything unexpected.
    """
    if not PLACE.fullmatch(place):
        raise ValueError(f"expected wrong/DIAGNOSIS or right/STYLE in small letters and _, not {place!r}")
    facts = load(path)
    task = exercise.load(facts["exercise"])
    suffix = ".json" if task.kind == "prediction" else ".py"
    target = Path(root) / task.chapter / task.name / f"{place}{suffix}"
    if target.exists():
        raise ValueError(f"there is already a {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(FIRST_LINE.sub("", facts["answer"], count=1), encoding="utf-8")
    return target


def say(facts):
    """Return a report in words, for a terminal."""
    verdict = Verdict(
        **{**facts["verdict"], "evidence": tuple(facts["verdict"]["evidence"]), "output": facts["output"]}
    )
    machine = ", ".join(f"{key} {value}" for key, value in facts["machine"].items())
    lines = [verdict.text(), "", facts["answer"].rstrip(), "", f"{facts['when']}; {machine}"]
    return "\n".join([f"why: {facts['why']}", *lines] if facts["why"] else lines)


def main(argv=None):
    """`report EXERCISE [FILE] [--why TEXT]`, `report --show FILE`, `report --adopt FILE PLACE`."""
    parser = argparse.ArgumentParser(
        prog="evolution report",
        description="Save an answer with what its checker saw in one file, for whoever maintains the course; "
        "nothing is sent anywhere.",
    )
    parser.add_argument("exercise", metavar="EXERCISE", nargs="?")
    parser.add_argument("file", metavar="FILE", nargs="?", help="default: answers/EXERCISE.py")
    parser.add_argument("--why", default="", metavar="TEXT", help="what is not right about the verdict")
    parser.add_argument("--folder", default=str(FOLDER), help="where to write; default: answers/reports")
    parser.add_argument("--show", metavar="REPORT", help="print a report")
    parser.add_argument(
        "--adopt",
        nargs=2,
        metavar=("REPORT", "PLACE"),
        help="make it an answer of the course: wrong/DIAGNOSIS or right/STYLE",
    )
    args = parser.parse_args(argv)
    try:
        if args.show:
            print(say(load(args.show)))
        elif args.adopt:
            print(_adopt(*args.adopt))
        elif args.exercise:
            print(_report(args))
        else:
            parser.error("expected an exercise, --show or --adopt")
    except (OSError, ValueError) as error:
        print(f"evolution report: {error}", file=sys.stderr)
        return 1
    return 0


def _adopt(path, place):
    written = adopt(path, place)
    task, name = exercise.load(load(path)["exercise"]), written.stem
    if place.startswith("right/") or name in task.diagnoses:
        return written
    text = task.folder / "text.toml"
    return f"{written}\nnext: [diagnosis.{name}] in {text}, and Wrong({name!r}, …) in check.py"


def _report(args):
    path = Path(args.file or exercise.answer_file(args.exercise))
    try:
        source = path.read_text(encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ValueError(f"expected your answer in {path}: {error.strerror}") from None
    verdict = sealed.check(args.exercise, path)
    written = save(verdict, source, args.why, args.folder)
    return f"{written}: {verdict.diagnosis or OUTCOMES[verdict.outcome]}"
