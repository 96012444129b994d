"""Check many folders of answers: `python -m evolution grade FOLDER [--json] [--jobs 2]`.

FOLDER has one folder for each learner, with answers as `progress` lays them out (NAME.py, NAME.json; a
folder `answers` in between is found). Each verdict is written to FOLDER/grades.jsonl as soon as it is there,
with the answer's hash: a second run goes on where the first one ended and checks only what has changed.
FOLDER/grades.csv is made anew each time.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from evolution.course import exercise, sealed


def answers(folder):
    """Yield (learner, exercise, path) for each answer below `folder`. Raises ValueError without any."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"expected a folder with one folder for each learner, not {folder}")
    found = False
    for learner in sorted(path for path in folder.iterdir() if path.is_dir()):
        home = learner / "answers" if (learner / "answers").is_dir() else learner
        for name, task in exercise.catalogue().items():
            path = home / f"{name}{'.json' if task.kind == 'prediction' else '.py'}"
            if path.is_file():
                found = True
                yield learner.name, name, path
    if not found:
        raise ValueError(f"expected answers such as {folder}/ada/read_line.py, there are none")


def grade(folder, jobs=2, tell=lambda row: None):
    """Check what has not been checked yet; return all rows, one dict for each answer.

    A verdict "too_slow" is not kept: the next run tries again.
    """
    journal = Path(folder) / "grades.jsonl"
    known = _read(journal)
    rows, waiting = [], []
    for learner, name, path in answers(folder):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if row := known.get((learner, name, digest)):
            rows.append(row)
        else:
            waiting.append((learner, name, path, digest))
    with ThreadPoolExecutor(jobs) as pool, journal.open("a", encoding="utf-8") as file:
        futures = [pool.submit(_one, *each) for each in waiting]
        try:
            for future in as_completed(futures):
                row = future.result()
                rows.append(row)
                if row["outcome"] != "too_slow":
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                    file.flush()
                tell(row)
        finally:
            for future in futures:
                future.cancel()
    rows.sort(key=lambda row: (row["learner"], row["exercise"]))
    _write_csv(Path(folder) / "grades.csv", rows)
    return rows


def _one(learner, name, path, digest):
    verdict = sealed.check(name, path)
    return {"learner": learner, "sha256": digest, **verdict.as_dict()}


def _read(journal):
    """Return the verdicts so far; a line cut short by a crash is passed over."""
    known = {}
    if journal.exists():
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                known[row["learner"], row["exercise"], row["sha256"]] = row
            except (ValueError, KeyError, TypeError):
                continue
    return known


def _write_csv(path, rows):
    fields = ("learner", "exercise", "outcome", "diagnosis", "sha256")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def summary(rows):
    """Return {"answers", "learners", "outcomes", "diagnoses"}: how many of each, the most frequent first."""
    mistakes = [f"{row['exercise']}: {row['diagnosis']}" for row in rows if row["diagnosis"]]
    return {
        "answers": len(rows),
        "learners": len({row["learner"] for row in rows}),
        "outcomes": dict(Counter(row["outcome"] for row in rows).most_common()),
        "diagnoses": dict(Counter(mistakes).most_common()),
    }


def main(argv=None):
    """`grade FOLDER [--json] [--jobs N]`; exit status 0 when every answer has a verdict."""
    parser = argparse.ArgumentParser(prog="evolution grade", description="Check many folders of answers.")
    parser.add_argument("folder", metavar="FOLDER", help="one folder for each learner")
    parser.add_argument("--json", action="store_true", help="print one JSON object with all verdicts")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="checks at the same time")
    args = parser.parse_args(argv)

    def tell(row):
        print(f"{row['learner']}: {row['exercise']}: {row['diagnosis'] or row['outcome']}", file=sys.stderr)

    try:
        rows = grade(args.folder, max(1, args.jobs), tell)
    except (OSError, ValueError) as error:
        print(f"evolution grade: {error}", file=sys.stderr)
        return 1
    found = summary(rows)
    if args.json:
        print(json.dumps({"summary": found, "verdicts": rows}, ensure_ascii=False))
    else:
        print(f"{found['answers']} answers of {found['learners']} learners: {args.folder}/grades.csv")
        for what in ("outcomes", "diagnoses"):
            for name, count in found[what].items():
                print(f"  {count:4} {name}")
    return 0
