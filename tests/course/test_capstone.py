"""The capstone's last card: the learner's server under the lab's clients, in the sandbox; nothing is left."""

import shutil

import pytest

from evolution.course import exercise
from evolution.course.capstone import BESIDE, YOURS, NotYet, Trial

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


def test_until_run_the_learners_row_is_empty_and_the_others_are_recorded():
    from evolution.course.final import capstone

    panel = capstone(FOLDER / "solution.py")
    state = panel.view.state
    assert panel.result is None and state["recorded"] and not state["running"]
    assert state["models"] == [YOURS, *BESIDE]
    assert {cell["model"] for cell in state["cells"]} == set(BESIDE)
    assert len(state["cells"]) == len(BESIDE) * len(state["cards"])
    first, *rest = panel.text().splitlines()
    assert first == (
        "Recorded: the rows of blocking, prefork, epoll_loop and multireactor; your server has not run yet."
    )
    [row] = [line for line in rest if line.startswith(YOURS)]
    assert row.split() == ["your", "server", "not", "run", "yet"]
    assert panel.svg().count(">not run yet<") == 1


def test_an_answer_spoiled_between_two_runs_is_told_at_the_panel(tmp_path):
    from evolution.course.final import capstone

    path = tmp_path / "workerman.py"
    shutil.copy(FOLDER / "solution.py", path)
    panel = capstone(path)
    panel.run.click()
    panel.stop.click()
    assert panel.wait(60)
    first = panel.result
    shutil.copy(FOLDER / "starter.py", path)
    for _ in range(2):
        panel.run.click()
        assert "first all ten stages must pass" in panel.said.value and panel.result is first
        assert not panel.run.disabled and panel.stop.disabled
