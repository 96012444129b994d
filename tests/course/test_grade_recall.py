"""Grading goes on where it ended; recall cards have new numbers, and the same for the same seed."""

import csv
import json

import pytest

from evolution.course import exercise, grade, recall

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


def test_the_same_seed_the_same_cards_another_seed_other_numbers():
    one, again, other = (recall.cards("ch1_blocking", seed, count=8) for seed in (1, 1, 2))
    assert one == again
    assert {card.question for card in one} != {card.question for card in other}


def test_each_card_accepts_its_own_answer_only():
    for card in recall.cards("ch1_blocking", 5, count=99):
        assert card.accepts(card.answer) and card.why
        if card.choices:
            assert not card.accepts(card.choices[-1])
        else:
            assert card.accepts(f"{card.answer:g} {card.unit}".replace(".", ","))
            assert not card.accepts(card.answer * 1.1 + 1)
        with pytest.raises(ValueError, match="expected"):
            card.accepts("dunno")


def test_own_mistakes_come_first():
    for seed in range(20):
        (first, *_) = recall.cards("ch1_blocking", seed, [("survive", "per_recv_not_per_request")])
        assert "per_recv_not_per_request" in first.about


def test_every_diagnosis_of_the_chapter_has_a_card_or_none_by_choice():
    known = {code for task in exercise.catalogue().values() for code in task.diagnoses}
    about = {code for card in recall.cards("ch1_blocking", 0, count=99) for code in card.about}
    assert about <= known


def test_an_unknown_chapter_is_said():
    with pytest.raises(ValueError, match="ch1_blocking"):
        recall.cards("ch9", 1)
