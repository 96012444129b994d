"""Grading many folders of answers: it goes on where it ended, and says what came of all."""

import csv
import json

import pytest

from evolution.course import exercise, grade

RESTART = exercise.load("restart").folder


@pytest.fixture
def course(tmp_path):
    for learner, answer in (("ada", "solution.py"), ("bob", "wrong/moved_port.py"), ("cy", "starter.py")):
        folder = tmp_path / learner / ("answers" if learner == "bob" else "")
        folder.mkdir(parents=True)
        (folder / "restart.py").write_text((RESTART / answer).read_text())
    return tmp_path


def test_every_learner_gets_a_verdict_in_a_table(course, capsys):
    assert grade.main([str(course), "--json", "--jobs", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["learner"]: row["diagnosis"] or row["outcome"] for row in found["verdicts"]} == {
        "ada": "passed",
        "bob": "moved_port",
        "cy": "not_attempted",
    }
    assert found["summary"]["diagnoses"] == {"restart: moved_port": 1}
    rows = list(csv.DictReader((course / "grades.csv").open()))
    assert [(row["learner"], row["outcome"]) for row in rows] == [
        ("ada", "passed"),
        ("bob", "wrong"),
        ("cy", "not_attempted"),
    ]


def test_a_second_run_checks_only_what_has_changed(course, monkeypatch):
    checked = []

    def check(name, path):
        checked.append(path.parent.name)
        return grade.sealed.Verdict(name, "passed")

    monkeypatch.setattr(grade.sealed, "check", check)
    grade.grade(course)
    assert len(checked) == 3
    with (course / "grades.jsonl").open("a") as file:
        file.write('{"learner": "ada", "exer')  # the machine went down in the middle of a line
    (course / "ada" / "restart.py").write_text("x = 1\n")
    assert len(grade.grade(course)) == 3
    assert checked[3:] == ["ada"]


def test_too_slow_is_tried_again(course, monkeypatch):
    monkeypatch.setattr(grade.sealed, "check", lambda name, path: grade.sealed.Verdict(name, "too_slow"))
    grade.grade(course)
    assert (course / "grades.jsonl").read_text() == ""


def test_a_folder_without_answers_is_one_line(tmp_path, capsys):
    assert grade.main([str(tmp_path)]) == 1
    assert grade.main([str(tmp_path / "missing")]) == 1
    assert capsys.readouterr().err.count("\n") == 2
