"""A check in a process of its own, whose answer nobody else can write.

A notebook's kernel may have been changed by the learner's own cells, and a checker may be killed. So the
kernel only starts the checker, hands it a nonce, and believes a verdict that carries it. The checker's output
is a pipe that the learner's program does not hold and cannot open (prctl(2), PR_SET_DUMPABLE). Anything
else that comes out (nothing, half a line, another nonce) is not a pass.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from evolution.course import exercise
from evolution.course.verdict import Finding, Unrecognised, Verdict

LONGEST = 30.0
"""Seconds for a whole check."""

ROOT = Path(__file__).resolve().parents[2]


def check(name, path, seconds=LONGEST):
    """Return the Verdict on the answer in `path`. An interrupt ends the check and everything it started.

    Raises UnknownExercise.
    """
    task = exercise.load(name)
    seal = secrets.token_hex(16)
    command = [sys.executable, "-P", "-m", "evolution.course.exercise", name, str(path), "--sealed"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    checker = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,  # an interrupt is for us; the checker ends by being told
    )
    try:
        said, errors = checker.communicate(seal + "\n", timeout=seconds)
    except subprocess.TimeoutExpired:
        return exercise.verdict_of(task, _lost(f"the check did not end within {seconds:g} s and was stopped"))
    finally:
        checker.kill()  # harmless when it has ended; its guards see the end of their lifelines
        checker.wait()
        for pipe in (checker.stdin, checker.stdout, checker.stderr):
            pipe.close()
    try:
        facts = json.loads(said)
        if facts.pop("seal") != seal or facts["exercise"] != name:
            raise ValueError("another seal")
        output, details = facts.pop("output"), facts.pop("details")
        words = task.diagnoses.get(facts["diagnosis"], {})
        evidence = tuple(facts.pop("evidence"))
        found = Verdict(
            **facts, evidence=evidence, name=words.get("name"), sentence=words.get("sentence"), output=output
        )
        found.details.update(details)
        return found
    except (ValueError, KeyError, TypeError, AttributeError):
        last = errors.strip().splitlines()[-1:] or [f"it ended with status {checker.returncode}"]
        return exercise.verdict_of(
            task, _lost(f"the checker ended without a verdict ({last[0]}); check again")
        )


def _lost(words) -> Finding:
    return Unrecognised(words)
