"""What one wait costs, against the number of idle descriptors: what do the guesses betray?"""

import json
import subprocess
import sys
from pathlib import Path

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong


def measure():
    """Return the three ratios, and the calls as bars of their length. Raises TooSlow."""
    host = Path(__file__).with_name("host.py")
    try:
        done = subprocess.run([sys.executable, "-I", str(host)], capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        raise TooSlow("the measurement took more than 20 s; it takes half a second on most machines") from None
    if done.returncode:
        raise TooSlow(*(done.stderr.strip().splitlines() or ["the measurement said nothing"])[-1:])
    seen = json.loads(done.stdout)
    if not 4 < seen["growth"] < 40:
        raise TooSlow(f"{costs(seen)}: something else disturbed it")
    facts = {"growth": round(seen["growth"], 1), "select": round(seen["select"], 2), "busy": word(seen["busy"])}
    facts["evidence"] = costs(seen)
    facts["ratio"] = round(seen["busy"], 2)
    UNIT.update(seen)
    return facts, picture(seen)


def costs(seen):
    return f"one poll: {seen['poll_1000']:.0f} µs with 1,000 idle descriptors, {seen['poll_most']:.0f} µs with {seen['most']:,}"


CALLS = (
    ("poll_1000", "poll, 1,000 idle"),
    ("poll_most", "poll, 8,000 idle"),
    ("poll_few", "poll, 500 idle"),
    ("select_few", "select, 500 idle"),
    ("busy_poll", "poll, 500 ready"),
    ("busy_epoll", "epoll, 500 ready"),
)

TIMES = 1000
"""One call is too short for an axis in milliseconds."""

UNIT = {}
"""The last measurement, in µs: a guess such as "8 times" gets its length from it."""


def picture(seen):
    """Return a Timeline with a lane for each call, a bar as long as a thousand of them take."""
    lanes = []
    for key, label in CALLS:
        label, took = label.replace("8,000", f"{seen['most']:,}"), round(seen[key] * TIMES / 1e6, 6)
        spans = [{"state": "running", "from": 0.0, "to": took, "note": f"{seen[key]:.3g} µs for one call"}]
        lanes.append({"id": key, "label": label, "spans": spans, "end": {"state": "gone", "t": took, "note": ""}})
    last = max(seen[key] for key, _ in CALLS) * TIMES / 1e6
    sentence = (
        f"One poll took {seen['poll_1000']:.0f} µs with 1,000 idle descriptors and {seen['poll_most']:.0f} µs with {seen['most']:,}; "
        f"with 500, all ready, poll took {seen['busy_poll']:.0f} µs and epoll_wait {seen['busy_epoll']:.0f} µs."
    )
    return {"title": "A thousand calls of each kind, at the measured price", "sentence": sentence, "now": last, "end": last, "processes": lanes}


def word(ratio):
    return "cheaper" if ratio < 1 else "dearer"


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    seen = facts.get("evidence", "one poll: 0.2 ms with 1,000 idle descriptors, 1.6 ms with 8,000")
    if guesses["growth"] <= 2:
        return Wrong("poll_is_constant", seen)
    if guesses["growth"] > max(30, 2 * facts["growth"]):
        return Wrong("grows_with_the_square", seen)
    if not 1 / 2.5 < guesses["select"] < 2.5 and 1 / 2.5 < facts["select"] < 2.5:
        return Wrong("select_and_poll_differ", f"with 500 idle descriptors, select takes {facts['select']:g} times as long as poll")
    ratio = facts.get("ratio", 1.5)
    if guesses["busy"] == "cheaper" and ratio >= 1.1:
        return Wrong("epoll_always_wins", f"500 descriptors, all ready: one epoll_wait takes {ratio:g} times as long as one poll")
    if near("growth", guesses["growth"], facts) and near("busy", guesses["busy"], facts):
        return Right(seen)
    return Unrecognised(seen)


def near(key, guess, facts):
    """Return whether this guess is near enough to what was measured."""
    if key == "growth":  # in proportion is right whatever came; so is what was measured, which is more where caches are small
        return 6 <= guess <= 16 or facts["growth"] / 2.5 < guess < facts["growth"] * 2.5
    if key == "select":  # hardly a difference
        return 1 / 2.5 < guess < 2.5 or not 1 / 2.5 < facts["select"] < 2.5
    return guess == facts["busy"] or 1 / 1.1 < facts.get("ratio", 1.5) < 1.1


def marks(guesses):
    """Return the guesses as marks: so many times the length of the call that they are compared with."""
    if not UNIT:
        return []
    units = {"poll_most": (guesses["growth"], "poll_1000"), "select_few": (guesses["select"], "poll_few")}
    return [
        {"lane": lane, "t": times * UNIT[unit] * TIMES / 1e6, "label": "your prediction", "said": f"you said {times:g} times"}
        for lane, (times, unit) in units.items()
    ]
