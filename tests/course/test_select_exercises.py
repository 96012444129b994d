"""The exercises of chapter 3 at their borders: what is still right, and what has a name whatever its size."""

from itertools import combinations

import pytest

from evolution.course import exercise, predict

SEEN = exercise.load("readiness").text["expected"]


def readiness(**guesses):
    return predict.score("readiness", SEEN | guesses, SEEN)


def test_each_combination_of_sets_is_offered_for_each_socket():
    sets = ("read", "write", "exceptional")
    every = {" and ".join(some) for count in (1, 2) for some in combinations(sets, count)} | {
        "none",
        "all three",
    }
    assert all(set(each["words"]) == every for each in exercise.load("readiness").text["inputs"])


@pytest.mark.parametrize(
    ("guesses", "diagnosis"),
    [
        ({"urgent": "all three"}, "urgent_is_in_the_stream"),
        ({"urgent": "read and exceptional"}, "urgent_is_in_the_stream"),
        ({"ended": "all three"}, "errors_in_xlist"),
        ({"full": "all three"}, "always_writable"),
        ({"half": "write and exceptional"}, "readable_means_whole_message"),
        ({"listener": "exceptional"}, "listener_never_readable"),
    ],
)
def test_all_three_has_each_of_the_sets(guesses, diagnosis):
    assert readiness(**guesses).diagnosis == diagnosis


@pytest.mark.parametrize(
    "guesses", [{"listener": "all three"}, {"sent": "all three"}, {"urgent": "exceptional"}]
)
def test_a_guess_that_betrays_nothing_has_no_name(guesses):
    assert readiness(**guesses).outcome == "unrecognised"


TICK, NAP = "right/looks_twice_a_second.py", "wrong/sleeps_for_everybody.py"
SHORT = "{each: now for each in deadline if deadline[each] < now + 0.4}"
DROP = f"deadline |= {SHORT}; deadline[conn] = now + IDLE"

BORDERS = {  # (exercise, an answer that ships with it, what is replaced, what by, what is said)
    "a tick of a twentieth": ("idle_timers", TICK, "0.5", "0.05", "passed"),
    "a tick of a fiftieth": ("idle_timers", TICK, "0.5", "0.02", "busy_poll"),
    "the last deadline": ("idle_timers", "solution.py", "min(dead", "max(dead", "sleeps_past_a_deadline"),
    "little left, and one comes": (
        "idle_timers",
        "solution.py",
        "deadline[conn] = now + IDLE",
        DROP,
        "unrecognised",
    ),
    "a short sleep": ("survive_emfile", NAP, "sleep(0.1)", "sleep(0.05)", "sleeps_for_everybody"),
    "a long sleep": ("survive_emfile", NAP, "sleep(0.1)", "sleep(1)", "sleeps_for_everybody"),
    "a select for nobody": (
        *("survive_emfile", NAP, "time.sleep(0.1)", "select.select([], [], [], 0.1)"),
        "sleeps_for_everybody",
    ),
    "asleep for ever": (
        *("survive_emfile", NAP, "time.sleep(0.1)", "select.select([], [], [])"),
        "unrecognised",
    ),
    "twice the limit": ("back_pressure", "solution.py", "= 262_144", "= 2 * 262_144", "passed"),
}


@pytest.mark.slow
@pytest.mark.parametrize("border", BORDERS.values(), ids=BORDERS)
def test_an_answer_at_the_border(border, tmp_path):
    name, answer, old, new, said = border
    text = exercise.load(name).read(answer)
    assert text.count(old) == 1
    path = tmp_path / "answer.py"
    path.write_text(text.replace(old, new))
    for _ in range(4):  # "too slow to tell" is an invitation to try again
        verdict = exercise.check(name, path)
        if verdict.outcome != "too_slow":
            break
    assert (verdict.diagnosis or verdict.outcome) == said, verdict.text()
