"""Results with their pictures: what a cell shows, and the buttons, without any front end."""

import pytest

from evolution import lab
from evolution.lab import measured, measures
from evolution.lab.clients import ClientError
from evolution.lab.guarded import LaunchError

PATIENCE = 60.0


def test_a_cost_has_its_figures_and_its_picture():
    found = lab.cost(idle=(10, 50), kinds=("poll", "epoll"), guess={"poll": 5.0})
    assert set(found.slopes) == {"poll", "epoll"} and found.at("poll", 50).ready == 1
    bundle, _ = found._repr_mimebundle_()
    assert bundle["text/plain"].splitlines()[0] == found.sentence
    assert bundle["image/svg+xml"].startswith("<svg") and found.view.state == found.as_dict()
    assert repr(found) == repr(found.result)
    with pytest.raises(AttributeError):
        found.nonsense  # noqa: B018


def test_the_table_can_be_saved_in_every_form(tmp_path):
    assert "measure(model)" in repr(lab.evolution_table(tmp_path))
    machine = {"kernel": "Linux", "cores": 1, "python": "3", "date": "today"}
    facts = (0.002, 0.002, None, 20.0, 16, 1700.0, "process", 20, 21, 21)
    measures.put(measures.Row("fork", *facts, machine), tmp_path)
    table = lab.evolution_table(tmp_path)
    for said in (table.svg(), table.svg("dark"), table.markdown(), table._repr_html_(), repr(table)):
        assert (
            "fork" in said and "1.7 MiB, a process" in said and "21 processes" in said and "1 core," in said
        )


def test_run_fills_the_grid_and_a_cell_is_replayed():
    panel = lab.survival(models=["select_loop"], cards=["pipelining", "half_closing"], seconds=1.0)
    assert panel.view.state["recorded"] and not panel.wait(0)
    panel.replay("select_loop", "pipelining")
    assert "press Run" in panel.said.value and panel.timeline.layout.display == "none"
    panel.run.click()
    assert panel.wait(PATIENCE)
    assert panel.view.state == panel.result.as_dict() and len(panel.view.state["cells"]) == 2
    panel.replay("select_loop", "pipelining")
    assert panel.said.value == "" and panel.timeline.layout.display is None
    assert panel.timeline.state["title"] == "select_loop: pipelining"
    assert panel.text().splitlines()[0] == panel.result.sentence
    panel.close()


def test_a_second_run_is_a_new_one():
    panel = lab.survival(models=["epoll_loop"], cards=["half_closing"], seconds=1.0)
    panel.run.click()
    assert panel.wait(PATIENCE)
    first = panel.result
    panel.run.click()
    assert panel.result is not first and panel.wait(PATIENCE)


def test_what_cannot_run_is_said_at_once():
    with pytest.raises(ClientError, match="not 'rude'"):
        lab.survival(cards=["rude"])
    with pytest.raises(LaunchError, match="not 'apache'"):
        lab.race(models=["apache"])


def test_stop_is_harmless_before_and_twice():
    panel = lab.race(models=["blocking"], seconds=5, others=False)
    panel.stop.click()
    panel.run.click()
    panel.stop.click()
    panel.stop.click()
    assert panel.wait(PATIENCE) and not panel.result.running
    assert isinstance(panel, measured.Measurement)
