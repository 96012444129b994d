"""A report holds all there is to a verdict, goes nowhere, and can become a wrong answer of the course."""

import json

import pytest

from evolution.__main__ import main as command
from evolution.course import cards, exercise, report
from evolution.course.progress import Progress
from evolution.course.verdict import Verdict

BACKWARDS = "# %%exercise read_line\ndef read_line(conn):\n    return conn.recv(100)[::-1]\n"


@pytest.fixture
def answer(notebook_folder):
    path = notebook_folder / "answers" / "read_line.py"
    path.parent.mkdir()
    path.write_text(BACKWARDS)
    return path


def test_the_command_checks_and_writes_one_file(answer, notebook_folder, capsys):
    assert command(["report", "read_line", "--why", "mine is new"]) == 0
    assert "answers/reports/read_line-1.json: wrong, in a way" in capsys.readouterr().out
    facts = json.loads((notebook_folder / "answers/reports/read_line-1.json").read_text())
    assert facts["answer"] == BACKWARDS and facts["why"] == "mine is new"
    assert facts["verdict"]["outcome"] == "unrecognised" and facts["verdict"]["evidence"]
    assert facts["timeline"]["lanes"] and facts["runs"][0]["left"] == []
    assert facts["machine"].keys() >= {"python", "system", "cores", "evolution"}
    assert "listening" in facts["output"]
    assert command(["report", "read_line"]) == 0
    assert (notebook_folder / "answers/reports/read_line-2.json").exists(), "none is written over"


def test_a_report_can_be_read_again(answer, capsys):
    command(["report", "read_line", "--why", "mine is new"])
    capsys.readouterr()
    assert command(["report", "--show", "answers/reports/read_line-1.json"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("why: mine is new\nread_line: wrong, in a way") and "[::-1]" in said


def test_a_maintainer_makes_it_a_wrong_answer_in_one_step(answer, notebook_folder):
    command(["report", "read_line"])
    path, root = "answers/reports/read_line-1.json", notebook_folder / "exercises"
    written = report.adopt(path, "wrong/reads_backwards", root)
    assert written == root / "ch1_blocking/read_line/wrong/reads_backwards.py"
    assert written.read_text() == BACKWARDS.partition("\n")[2]
    with pytest.raises(ValueError, match="already"):
        report.adopt(path, "wrong/reads_backwards", root)


@pytest.mark.parametrize("place", ["wrong", "../x", "wrong/Upper", "wrong/a/b", "solution", "wrong/../../x"])
def test_a_report_goes_to_no_other_place(place, answer):
    command(["report", "read_line"])
    with pytest.raises(ValueError, match="expected wrong/DIAGNOSIS"):
        report.adopt("answers/reports/read_line-1.json", place)


@pytest.mark.parametrize(
    "arguments", [["nope"], ["read_line"], ["--show", "nothing.json"], ["--adopt", "x", "wrong/a"]]
)
def test_misuse_is_one_line(arguments, notebook_folder, capsys):
    assert command(["report", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "expected" in said.err


def verdict(outcome):
    found = Verdict("read_line", outcome, None, ("seen",))
    found.details["timeline"] = {"lanes": []}
    return found


def has(card, name):
    return any(f"evolution-{name}" in each._dom_classes for each in card.children[1].children)


@pytest.mark.parametrize(
    ("outcome", "offered"),
    [("unrecognised", True), ("passed", True), ("crashed", False), ("too_slow", False)],
)
def test_the_card_offers_it_where_the_checker_may_be_at_fault(outcome, offered, notebook_folder):
    assert has(cards.VerdictCard(verdict(outcome), Progress(), "x = 1"), "report") is offered


def test_the_button_saves_what_the_card_shows(notebook_folder):
    card = cards.VerdictCard(verdict("passed"), Progress(), "x = 1")
    card.report.click()
    facts = report.load("answers/reports/read_line-1.json")
    assert facts["answer"] == "x = 1" and facts["why"] == "it passed, and it is wrong"
    assert "Nothing has been sent" in card.below.value and card.report.disabled


def test_the_replay_shows_the_timeline_and_puts_it_away(notebook_folder):
    task = exercise.load("read_line")
    found = exercise.check("read_line", task.folder / "wrong/recv_is_a_message.py")
    card = cards.VerdictCard(found, Progress())
    assert has(card, "replay")
    card.replay.click()
    (picture,) = card.picture.children
    assert picture.state["title"] == "Read one line: what the check saw"
    card.replay.click()
    assert card.picture.children == ()
    assert not has(cards.VerdictCard(Verdict("restart", "passed"), Progress()), "replay")
