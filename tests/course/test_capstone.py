"""The capstone's last card: the learner's server under the lab's clients, in the sandbox; nothing is left."""

import pytest

from evolution.course import exercise
from evolution.course.capstone import YOURS, NotYet, Trial

FOLDER = exercise.load("workerman").folder


def test_a_server_that_passes_meets_every_card_and_leaves_nothing():
    trial = Trial(FOLDER / "solution.py", beside=("blocking",), cards=("silent", "slow_reader"), seconds=1.0)
    trial.start()
    assert trial.wait(60)
    found = {pair: cell.verdict for pair, cell in trial.cells.items()}
    assert found == {
        (YOURS, "silent"): "served",
        (YOURS, "slow_reader"): "served",
        ("blocking", "silent"): "nobody",
        ("blocking", "slow_reader"): "nobody",
    }, trial.sentence
    assert trial.sentence.endswith("Your server ran 2 times; nothing of it was left afterwards.")
    assert all(run.sandbox.report.left == [] for run in trial.runs)
    assert trial.recording(YOURS, "silent").as_dict()["lanes"]


def test_an_answer_that_has_not_passed_is_told_how_far_it_has_come():
    with pytest.raises(NotYet, match="line_is_a_packet") as refusal:
        Trial(FOLDER / "wrong" / "line_is_a_packet.py")
    assert not refusal.value.verdict.passed


def test_the_panel_of_the_notebook_is_the_verdict_until_it_has_passed(tmp_path):
    from evolution.course.final import capstone

    assert capstone(FOLDER / "starter.py").verdict.outcome == "not_attempted"
    assert capstone(tmp_path / "missing.py").verdict.outcome == "not_attempted"
