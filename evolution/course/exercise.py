"""Exercises: one folder is one truth, and `check` says what an answer shows.

exercises/ch1_blocking/read_line/
    starter.py  solution.py  right/<style>.py     answers that are not attempted, and right
    wrong/<diagnosis>.py                          answers that are wrong, each in its own way
    host.py                                       the program around the answer, run in the sandbox
    check.py                                      check(bench): raises a Finding, or returns what convinced it
    text.toml                                     title, task, hints, and the sentence for each diagnosis
"""

import argparse
import ast
import importlib.util
import json
import os
import sys
import threading
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evolution.course.bench import Bench
from evolution.course.sandbox import LINUX, SandboxError
from evolution.course.verdict import Crashed, Finding, NotAttempted, Verdict

ROOT = Path(__file__).resolve().parent.parent / "exercises"
ANSWERS = Path("answers")
LONGEST = 200_000
"""Bytes of a file that is still taken for an answer."""


class UnknownExercise(ValueError):
    """There is no such exercise; the message lists those that exist."""


@dataclass(frozen=True)
class Exercise:
    """One folder of `exercises/`, read."""

    name: str
    folder: Path
    text: dict

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    @property
    def kind(self):
        """code or prediction."""
        return self.text.get("kind", "code")

    @property
    def chapter(self):
        return self.folder.parent.name

    @property
    def title(self):
        return self.text["title"]

    @property
    def hints(self):
        return self.text.get("hints", [])

    @property
    def diagnoses(self):
        """{code: {"name", "sentence", "question"}}."""
        return self.text.get("diagnosis", {})

    def module(self, name="check"):
        """Import check.py; it is ours, so it runs here. The learner's file never does."""
        return _module(self.folder / f"{name}.py")


@cache
def _module(path):
    spec = importlib.util.spec_from_file_location(f"evolution.exercises.{path.parent.name}.{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def catalogue():
    """Return {name: Exercise} in the order of the course."""
    found = {}
    for path in sorted(ROOT.glob("*/*/text.toml")):
        found[path.parent.name] = Exercise(
            path.parent.name, path.parent, _text(path, path.stat().st_mtime_ns)
        )
    return dict(sorted(found.items(), key=lambda item: (item[1].chapter, item[1].text.get("number", 99))))


@cache
def _text(path, changed):  # `changed`: a file that is written anew is read anew
    with path.open("rb") as file:
        return tomllib.load(file)


def load(name):
    """Return one Exercise. Raises UnknownExercise."""
    exercises = catalogue()
    if name not in exercises:
        raise UnknownExercise(f"expected an exercise, one of {', '.join(exercises)}, not {name!r}")
    return exercises[name]


def check(name, source_path):
    """Try the answer in `source_path` in the sandbox; return a Verdict.

    Raises UnknownExercise. Whatever else goes wrong is a verdict, and none of those is a pass.
    """
    exercise = load(name)
    if exercise.kind == "prediction":
        return _check_prediction(exercise, Path(source_path))
    bench = None
    try:
        answer = read_answer(exercise, Path(source_path))
        bench = Bench(exercise, answer, protect=[Path(source_path).resolve().parent])
        convinced = exercise.module().check(bench)
        if not convinced:
            raise RuntimeError(f"the checker of {name} came to no conclusion")
        verdict = Verdict(name, "passed", evidence=tuple(convinced), question=exercise.text.get("question"))
    except Finding as finding:
        verdict = verdict_of(exercise, python_first(finding))
        verdict.details["timeline"] = finding.timeline
    except SandboxError as error:
        verdict = Verdict(name, "too_slow", evidence=(f"the sandbox could not do its work: {error}",))
    except Exception as error:  # the checker's own mistake: told as it is, and never a pass
        evidence = f"the checker itself failed ({type(error).__name__}: {error}); your answer may be right"
        verdict = Verdict(name, "unrecognised", evidence=(evidence,))
    if bench:
        object.__setattr__(verdict, "output", bench.output)
        verdict.details.update(defences=bench.defences, runs=[vars(run) for run in bench.runs])
        verdict = _leftovers(verdict, bench)
    return verdict


def python_first(finding):
    """Return the finding, or the slip in Python that came before it: what follows from a slip has no name."""
    slip = finding.slip
    if slip is None or finding.outcome not in ("wrong", "unrecognised", "crashed"):
        return finding
    slip.evidence = (*(line for line in finding.evidence if line not in slip.evidence), *slip.evidence)
    return slip


def _leftovers(verdict, bench):
    left = [pid for run in bench.runs for pid in run.left]
    lost = any(run.why == "lost" for run in bench.runs)
    if verdict.passed and (left or lost):
        why = f"processes {left} could not be removed" if left else "the supervisor of your program was lost"
        return Verdict(
            verdict.exercise, "unrecognised", evidence=(*verdict.evidence, why), output=verdict.output
        )
    return verdict


def _check_prediction(exercise, path):
    from evolution.course import predict

    try:
        verdict, timeline = predict.check(exercise, path)
        verdict.details["timeline"] = timeline
        return verdict
    except Exception as error:  # ours again
        evidence = f"the experiment itself failed ({type(error).__name__}: {error})"
        return Verdict(exercise.name, "unrecognised", evidence=(evidence,))


def verdict_of(exercise, finding):
    """Return the Verdict for a Finding, with the words that text.toml has for it."""
    words = exercise.diagnoses.get(finding.diagnosis, {})
    question = (
        finding.question or words.get("question") or exercise.text.get("questions", {}).get(finding.outcome)
    )
    if finding.outcome == "wrong" and not words:
        raise RuntimeError(f"text.toml has no sentence for {finding.diagnosis}")
    return Verdict(
        exercise.name,
        finding.outcome,
        finding.diagnosis,
        finding.evidence,
        question,
        words.get("name"),
        words.get("sentence"),
    )


def read_answer(exercise, path):
    """Return the learner's source. Raises NotAttempted and Crashed (syntax), both Findings."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotAttempted(f"expected your answer in {path}, there is no such file yet") from None
    except OSError as error:
        raise Crashed(f"expected your answer in {path}: {error.strerror}") from None
    if len(data) > LONGEST:
        raise Crashed(f"expected an answer of at most {LONGEST:,} bytes, not {len(data):,}")
    try:
        source = data.decode("utf-8")
        tree = parsed(source)
    except UnicodeDecodeError as error:
        raise Crashed(f"expected UTF-8 text; byte {error.start} is not") from None
    except SyntaxError as error:
        finding = Crashed(*explain_syntax(error))
        finding.question = "Which sign did Python meet at the mark, and what had to come before it?"
        raise finding from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Crashed(f"Python cannot read this text: {error}") from None
    if _essence(tree) in (_essence(parsed(exercise.read("starter.py"))), _essence(parsed(""))):
        raise NotAttempted("this is the starter as it came: nothing to check yet")
    if hollow := hollow_function(tree, exercise.text.get("function")):
        raise NotAttempted(f"the body of {hollow} is still empty")
    return source


_PARSING = threading.Lock()


def parsed(source):
    """ast.parse, one at a time: CPython 3.11 counts the depth of all threads' trees in one place.

    Two at once end in `SystemError: AST constructor recursion depth mismatch`. Raises what ast.parse raises.
    """
    with _PARSING:
        return ast.parse(source)


def explain_syntax(error):
    """Return lines of evidence for a SyntaxError: Python's words, the line, a mark under the place."""
    lines = [f"Python cannot read line {error.lineno}: {error.msg}"]
    if error.text:
        text = error.text.rstrip("\n").expandtabs(1)
        shift = len(text) - len(text.lstrip())
        lines.append(f"your line {error.lineno}: {text.strip()}")
        if error.offset:
            prefix = f"your line {error.lineno}: "
            lines.append(" " * (len(prefix) + max(0, error.offset - 1 - shift)) + "^")
    return lines


def _essence(tree):
    """Return the program without comments, layout and docstrings, for comparison."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


def hollow_function(tree, name):
    """Return `name` when the program's function of that name does nothing at all, else None."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            body = [each for each in node.body if not _does_nothing(each)]
            return None if body else name
    return None


def _does_nothing(node):
    if isinstance(node, ast.Raise):
        return isinstance(node.exc, ast.Name | ast.Call) and "NotImplementedError" in ast.dump(node.exc)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def answer_file(name):
    """Return where the learner's answer lies. Raises UnknownExercise."""
    return ANSWERS / f"{name}{'.json' if load(name).kind == 'prediction' else '.py'}"


def main(argv=None):
    """`check NAME [FILE] [--json]`: print the verdict; return 0 only for a pass, 2 for misuse, else 1."""
    parser = argparse.ArgumentParser(prog="evolution check", description="Check one answer in the sandbox.")
    parser.add_argument("exercise", metavar="EXERCISE")
    parser.add_argument("file", metavar="FILE", nargs="?", help="default: answers/EXERCISE.py")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sealed", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    seal = sys.stdin.readline().strip() if args.sealed else None
    if args.sealed and LINUX:
        from evolution.course import confine

        confine.prctl(confine.PR_SET_DUMPABLE, 0)  # nobody of the same user may write to our stdout
    try:
        verdict = check(args.exercise, args.file or answer_file(args.exercise))
    except UnknownExercise as error:
        print(f"evolution check: {error}", file=sys.stderr)
        return 2
    if args.sealed:
        details = {"output": verdict.output, "details": verdict.details}
        print(json.dumps({"seal": seal, **verdict.as_dict(), **details}))
    elif args.json:
        print(json.dumps(verdict.as_dict(), ensure_ascii=False))
    else:
        print(verdict.text())
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
