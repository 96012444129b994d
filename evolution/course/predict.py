"""Predictions: say a number first, then let this machine answer.

    facts, timeline = measure("three_clients")            # the experiment, on a real server
    verdict = score("three_clients", guesses, facts)      # pure: distance, and what the numbers betray

A prediction's folder has text.toml (the question and its inputs) and check.py with two functions:
`measure()` runs the experiment, `judge(guesses, facts)` names what a set of guesses betrays.
Guesses are kept as JSON in answers/NAME.json, locked before the experiment runs.
"""

import json
import re
from pathlib import Path

from evolution.course import exercise
from evolution.course.verdict import Crashed, Finding, NotAttempted, TooSlow, Verdict


def measure(name):
    """Run the experiment; return (facts, Timeline state). Raises TooSlow when the machine cannot tell."""
    return exercise.load(name).module().measure()


def score(name, guesses, facts=None):
    """Return the Verdict on `guesses` ({key: value as typed or as a number}).

    Without `facts` the textbook's figures are used, those of a machine with nothing else to do.
    """
    task = exercise.load(name)
    facts = facts or task.text["expected"]
    try:
        values = parse(task, guesses)
    except Finding as finding:
        return exercise.verdict_of(task, finding)
    judged = task.module().judge(values, facts)
    judged.evidence = (*comparison(task, values, facts), *judged.evidence)
    if isinstance(judged, Right):
        verdict = Verdict(name, "passed", evidence=judged.evidence, question=task.text.get("question"))
    else:
        verdict = exercise.verdict_of(task, judged)
    verdict.details["points"] = points_of(task, values, facts)
    return verdict


def check(task, path):
    """Return (verdict, Timeline state or None) for guesses in a JSON file; runs the experiment."""
    try:
        guesses = parse(task, read(path))
        facts, timeline = task.module().measure()
    except Finding as finding:
        return exercise.verdict_of(task, finding), None
    timeline["guesses"] = task.module().marks(guesses)
    return score(task.name, guesses, facts), timeline


def read(path):
    """Return the guesses in a JSON file. Raises NotAttempted and Crashed."""
    try:
        guesses = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotAttempted(f"expected your prediction in {path}, there is no such file yet") from None
    except (OSError, ValueError) as error:
        raise Crashed(f"expected a JSON object in {path}: {error}") from None
    if isinstance(guesses, dict):
        guesses = guesses.get("guesses", guesses)
    if not isinstance(guesses, dict):
        raise Crashed(f'expected a JSON object such as {{"first": 0.2}}, not {guesses!r:.60}')
    return guesses


def parse(task, guesses):
    """Return {key: number or word} for all inputs of the question. Raises NotAttempted and Crashed.

    A guess may stand under its key or under its label.
    """
    guesses = _under_keys(task, guesses)
    values = {}
    for each in task.text["inputs"]:
        typed = guesses.get(each["key"])
        if typed is None or not str(typed).strip():
            raise NotAttempted(
                f'expected a guess for “{each["label"]}” (key "{each["key"]}"); there is none yet'
            )
        values[each["key"]] = _value(each, typed)
    return values


def _under_keys(task, guesses):
    keys = [each["key"] for each in task.text["inputs"]]
    names = {_folded(each["label"]): each["key"] for each in task.text["inputs"]}
    names |= {_folded(key): key for key in keys}
    found, unknown = {}, [name for name in guesses if _folded(name) not in names]
    if unknown:
        raise Crashed(f"expected the keys {', '.join(keys)}; not known: {', '.join(map(repr, unknown))}")
    for name, typed in guesses.items():
        key = names[_folded(name)]
        if key in found and found[key] != typed:
            raise Crashed(f'expected one guess for the key "{key}", not two: {found[key]!r} and {typed!r}')
        found[key] = typed
    return found


def _folded(name):
    return " ".join(str(name).split()).casefold()


def _value(each, typed):
    words = each.get("words", [])
    text = str(typed).strip().lower().replace(",", ".")
    if text in words:
        return text
    if "unit" not in each:
        raise Crashed(f"{each['label']}: expected one of {', '.join(words)}, not {typed!r}")
    found = re.fullmatch(r"(\d*\.?\d+(?:e-?\d+)?)\s*(ms|s)?(?:econds?)?", text)
    if not found:
        unit = f" of {each['unit']}" if each["unit"] else ""
        also = f", or {' or '.join(words)}" if words else ""
        raise Crashed(f"{each['label']}: expected a number{unit}{also}, not {typed!r}")
    number = float(found[1]) / (1000 if found[2] == "ms" else 1)
    if number > each.get("most", 3600):
        raise Crashed(
            f"{each['label']}: expected at most {each.get('most', 3600):g} {each['unit']}, not {typed!r}"
        )
    return number


def points_of(task, values, facts):
    """Return 0 to 100: 100 for the measurement itself, less with the distance, 0 for a wrong word."""
    shares = []
    for each in task.text["inputs"]:
        guess, fact = values[each["key"]], facts[each["key"]]
        if isinstance(guess, str) or isinstance(fact, str):
            shares.append(float(guess == fact))
        else:
            shares.append(max(0.0, 1 - abs(guess - fact) / each.get("scale", max(fact, 0.1))))
    return round(100 * sum(shares) / len(shares))


def comparison(task, values, facts):
    """Return a line for each input: what was guessed, what was measured.

    Where all answers are counts or words, each is right or wrong: it is marked, and the right ones are
    counted. Where one has a unit, how near is near enough is the judge's affair: it is marked if check.py
    has a function `near(key, guess, facts)`.
    """
    near = getattr(task.module(), "near", None)
    inputs, lines, right = task.text["inputs"], [], 0
    marked = len(inputs) > 1 and not any(each.get("unit") for each in inputs)
    for each in inputs:
        guess, fact = values[each["key"]], facts[each["key"]]
        right += guess == fact
        good = near(each["key"], guess, facts) if near else guess == fact
        mark = ("✓ " if good else "✗ ") if marked or near else ""
        lines.append(
            f"{mark}{each['label']}: you said {_with_unit(each, guess)}, measured {_with_unit(each, fact)}"
        )
    if marked:
        lines.append(f"{right} of {len(inputs)} as measured")
    return lines


def _with_unit(each, value):
    if isinstance(value, str):
        return value
    unit = each.get("unit", "")
    if unit == "s":
        return f"{value:.2g} s" if value >= 1 else f"{value * 1000:.3g} ms"
    return f"{value:g} {unit}".strip()


class Right(Finding):
    """The guesses fit. Returned, not raised."""


__all__ = ["Right", "TooSlow", "check", "measure", "score"]
