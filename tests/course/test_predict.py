"""Predictions: what is typed is read, the distance is scored, the numbers betray their misconception."""

import json

import pytest

from evolution.course import exercise, predict

FACTS = {"connected": 0.0002, "first": 0.21, "second": 0.42, "third": 0.63}
RIGHT = {"connected": "0", "first": "0.2", "second": "0.4", "third": "0.6"}


def score(**guesses):
    return predict.score("three_clients", RIGHT | guesses, FACTS)


def test_right_numbers_pass_and_score_by_distance():
    near, far = score(), score(third="0.7")
    assert near.outcome == far.outcome == "passed"
    assert 100 >= near.details["points"] > far.details["points"] > 80


def test_the_measurement_itself_is_a_hundred_points():
    assert predict.score("three_clients", FACTS, FACTS).details["points"] == 100


@pytest.mark.parametrize(
    ("guesses", "diagnosis"),
    [
        ({"second": "refused"}, "refused"),
        ({"connected": "0.4"}, "connect_blocks"),
        ({"second": "0.2", "third": "0.2"}, "all_parallel"),
        ({"first": "0", "second": "200 ms", "third": "400ms"}, "off_by_one"),
    ],
)
def test_numbers_betray_their_misconception(guesses, diagnosis):
    verdict = score(**guesses)
    assert (verdict.outcome, verdict.diagnosis) == ("wrong", diagnosis)
    assert verdict.name and verdict.sentence and verdict.question


def test_numbers_that_betray_nothing_are_unrecognised_with_both_columns():
    verdict = score(third="3")
    assert verdict.outcome == "unrecognised"
    assert "you said 3 s, measured 630 ms" in verdict.evidence[3]


@pytest.mark.parametrize(
    ("typed", "value"),
    [("0,2", 0.2), (" 200 ms ", 0.2), ("0.2s", 0.2), (".2", 0.2), (0.2, 0.2), ("Refused", "refused")],
)
def test_what_is_typed_is_read(typed, value):
    assert predict.parse(exercise.load("three_clients"), RIGHT | {"first": typed})["first"] == value


@pytest.mark.parametrize("typed", ["soon", "-1", "nan", "1e999", "99999"])
def test_what_cannot_be_read_is_said(typed):
    verdict = score(first=typed)
    assert verdict.outcome == "crashed"
    assert "expected" in verdict.evidence[0] and repr(typed) in verdict.evidence[0]


def test_an_empty_input_is_not_attempted():
    assert score(first=" ").outcome == "not_attempted"


def test_without_facts_the_textbook_is_used():
    assert predict.score("three_clients", RIGHT).outcome == "passed"


@pytest.mark.parametrize("text", ["", "[]", "{", "7"])
def test_a_damaged_file_is_said(text, tmp_path):
    path = tmp_path / "three_clients.json"
    path.write_text(text)
    assert exercise.check("three_clients", path).outcome == "crashed"


def test_the_guesses_are_marks_on_the_measured_picture(tmp_path):
    path = tmp_path / "three_clients.json"
    path.write_text(json.dumps(RIGHT))
    timeline = exercise.check("three_clients", path).details["timeline"]
    assert [mark["t"] for mark in timeline["guesses"]] == [0.2, 0.4, 0.6]
    assert {mark["lane"] for mark in timeline["guesses"]} == {lane["id"] for lane in timeline["lanes"]}


def test_four_of_eight_get_in_behind_a_backlog_of_three():
    facts, timeline = predict.measure("backlog_of_three")
    assert (facts["succeed"], facts["next"]) == (4, "wait")
    assert facts["queue"] == "4 of 3"
    assert len(timeline["lanes"]) == 8
