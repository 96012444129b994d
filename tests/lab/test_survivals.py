"""The survival grid: real runs, their verdicts, and what is kept of them."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from evolution.lab import procfs, survival_cells
from evolution.lab.clients import ClientError
from evolution.lab.experiment import ExperimentError
from evolution.lab.guarded import LaunchError
from evolution.lab.launch import start
from evolution.lab.survival_cells import Cell
from evolution.lab.survivals import Survival

pytestmark = pytest.mark.xdist_group("survivals")  # what is measured once serves all tests of this file

PATIENCE = 60.0


def cell(model, card, verdict, **more):
    facts = {
        "answered": 4,
        "median": 0.004,
        "slowest": 0.3,
        "seconds": 2.0,
        "own": "1 done",
        "sentence": "Five.",
    }
    return Cell(model, card, verdict, **(facts | more))


@pytest.fixture(scope="module")
def grid():
    grid = Survival(["blocking", "select_loop"], ["silent", "pipelining"], seconds=1.0)
    grid.start()
    assert grid.wait(PATIENCE)
    return grid


def test_a_silent_client_stops_the_blocking_server_and_no_select_loop(grid):
    verdicts = {pair: cell.verdict for pair, cell in grid.cells.items()}
    assert verdicts["blocking", "silent"] == "nobody"
    good = ("served", "late")  # late: on a busy machine
    assert all(verdict in good for pair, verdict in verdicts.items() if pair != ("blocking", "silent"))
    assert grid.cells["blocking", "silent"].answered == 0
    assert grid.cells["select_loop", "pipelining"].own == "1 done"
    assert "blocking served nobody beside silent clients" in grid.sentence


def test_each_run_can_be_replayed(grid):
    state = grid.recording("blocking", "silent").as_dict()
    assert [lane["card"] for lane in state["lanes"]] == ["silent", *["polite"] * survival_cells.POLITE]
    assert state["sentence"] == grid.cells["blocking", "silent"].sentence
    with pytest.raises(KeyError, match="no run of fork beside silent"):
        grid.recording("fork", "silent")


def test_the_state_has_every_cell(grid):
    state = grid.as_dict()
    assert len(state["cells"]) == 4 and not state["running"] and grid.progress == 1
    assert [card["name"] for card in state["cards"]] == grid.cards
    assert "! 1 s" in repr(grid)
    with pytest.raises(ExperimentError, match="was run before"):
        grid.start()


def test_stop_ends_it_and_leaves_no_server():
    grid = Survival(["blocking"], ["silent", "dripping", "idle"], seconds=10)
    begun = []
    grid.subscribe(lambda grid: begun.append(set(grid.underway)))
    grid.start()
    while not any(begun):
        grid.wait(0.01)
    grid.stop()
    assert grid.wait(PATIENCE) and not grid.running
    assert grid.cells == {}
    assert not any(b"serve" in _command(pid) for pid in _descendants())


def test_the_words_of_the_verdicts():
    assert cell("fork", "idle", "served").words == "others served in 4.0 ms"
    assert cell("fork", "idle", "served", median=0.00012).figure == "0.1 ms"
    assert cell("fork", "idle", "late").words == "others served, the last after 300 ms"
    assert cell("fork", "idle", "some", answered=2).words == "2 of 4 others served"
    assert cell("fork", "idle", "nobody", answered=0).words == "nobody served for 2 s"


def test_models_with_the_same_trouble_are_named_together():
    grid = Survival(["fork", "prefork", "threads"], ["idle"])
    for model, verdict in (("fork", "nobody"), ("prefork", "nobody"), ("threads", "served")):
        grid.cells[model, "idle"] = cell(model, "idle", verdict)
    assert grid.sentence == (
        "3 runs: in 1 the others were served at once; fork and prefork served nobody beside idle clients."
    )


def test_a_server_that_dies_has_failed():
    class Story:
        lanes, death, now = {}, {"kind": "server"}, 1.0

        def as_dict(self):
            return {"sentence": "It died."}

    assert survival_cells.judge("fork", "idle", Story()).verdict == "failed"


def test_a_server_of_the_learners_own_can_take_part():
    grid = Survival({"mine": lambda: start("select_loop")}, ["pipelining"], seconds=1.0)
    grid.start()
    assert grid.wait(PATIENCE)
    assert grid.cells["mine", "pipelining"].answered == survival_cells.POLITE


def test_a_mistake_is_said():
    with pytest.raises(ClientError, match=r"cards out of silent, .*; not 'rude'"):
        Survival(cards=["rude"])
    with pytest.raises(LaunchError, match="not 'apache'"):
        Survival(["apache"])
    with pytest.raises(ClientError, match=r"0\.5 to 10 seconds, not 60"):
        Survival(seconds=60)


def _descendants():
    found = procfs.children(os.getpid())
    for pid in found:
        found += procfs.children(pid)
    return found


def _command(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
