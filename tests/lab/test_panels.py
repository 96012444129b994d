"""Panels without any notebook: buttons are clicked from Python, real experiments run, nothing is left."""

import signal
import sys
import threading

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances
from serving import eventually

from evolution import lab
from evolution.lab import controls, launch, panels, pictures, procfs
from evolution.lab.clients import CARDS, ClientError
from evolution.lab.crowd import Choice, words

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for a fact."""

SHORT = [("silent", 1, {"for": 0.3}), ("polite", 3)]

MORTAL = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("listening 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
listener.accept()
sys.exit("the disk is full")
"""
"""A server that dies of its first client."""


@pytest.fixture
def server():
    with launch.start("blocking") as server:
        yield server


@pytest.fixture
def open_panel():
    """Make panels; at the end each is closed, and then no widget of theirs is left."""
    before = set(_instances)
    opened = []

    def open_panel(*args, **options):
        opened.append(panels.panel(*args, **options))
        return opened[-1]

    yield open_panel
    for panel in opened:
        panel.close()
    assert [_instances[each] for each in set(_instances) - before] == []
    assert not any(panel in opened for panel in panels._open.values())


def no_experiment_thread():
    return not [each for each in threading.enumerate() if each.name == "experiment"]


def test_a_click_runs_the_experiment_and_the_timeline_tells_it(open_panel, server):
    panel = open_panel(server, SHORT, seconds=5)
    assert (panel.run.disabled, panel.stop.disabled, panel.experiment) == (False, True, None)
    panel.run.click()
    assert (panel.run.disabled, panel.stop.disabled) == (True, False)
    assert panel.wait(PATIENCE)
    assert (panel.run.disabled, panel.stop.disabled, panel.progress.value) == (False, True, 0)
    state = panel.experiment.story.as_dict()
    assert panel.timeline.state == state and state["running"] is False
    assert [lane["label"] for lane in state["lanes"]] == ["silent 1", "polite 1", "polite 2", "polite 3"]
    assert panel.said.value == ""
    eventually(no_experiment_thread, "the end of the experiment's thread")


def test_before_the_first_run_a_panel_shows_the_recorded_one_of_its_model(open_panel):
    with launch.start("select_loop") as server:
        panel = open_panel(server)
        for view in (panel.timeline, panel.xray):
            assert view.state["recorded"] and view.text().startswith("Recorded: ")
        assert panel.timeline.state["title"].startswith("select_loop")
        shown = [lane["card"] for lane in panel.timeline.state["lanes"]]
        assert {card: shown.count(card) for card in shown} == {card: n for card, n, _ in panel.crowd}
        panel.fold.value = True  # whoever opens it sees this server, and no recorded one
        assert not panel.xray.scene.get("recorded") and panel.xray.state["server"]["pid"] == server.pid


def test_all_forms_of_output_are_offered(open_panel, server):
    panel = open_panel(server, SHORT)
    panel.run.click()
    assert panel.wait(PATIENCE)
    sentence = panel.experiment.story.as_dict()["sentence"]
    for shown in (panel, pictures.show(panel.experiment)):
        data, _ = shown._repr_mimebundle_()
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == shown.model_id
        assert data["image/svg+xml"].startswith("<svg") and sentence in data["text/plain"]
    assert panel.text().startswith("blocking: 4 clients in this order: 1 silent, 3 polite\n")
    data, _ = pictures.xray(server)._repr_mimebundle_()
    assert "accept" in data["text/plain"] and "accept" in data["image/svg+xml"]
    for widget in list(_instances.values()):
        if isinstance(widget, (panels.Timeline, panels.XRay)) and widget not in (panel.timeline, panel.xray):
            for part in controls.family(widget):
                part.close()


def test_sliders_say_who_connects(open_panel, server):
    panel = open_panel(server, SHORT)
    panel.clients["polite"].value = 1
    panel.clients["dripping"].value = 2
    assert [entry[:2] for entry in panel.crowd] == [("silent", 1), ("dripping", 2), ("polite", 1)]
    assert panel.crowd[0][2]["for"] == 0.3
    assert "4 clients in this order: 1 silent, 2 dripping, 1 polite" in panel.summary.value
    for slider in panel.clients.values():
        slider.value = 0
    assert panel.run.disabled and panels.NOBODY in panel.summary.value
    panel.clients["polite"].value = 1
    assert not panel.run.disabled


def test_every_card_has_a_slider_and_its_sentence(open_panel, server):
    panel = open_panel(server)
    assert list(panel.clients) == list(CARDS)
    written = {each.value for each in controls.family(panel) if isinstance(each, ipywidgets.HTML)}
    assert {card.sentence for card in CARDS.values()} <= written
    assert panel.clients["idle"].options[-1] == ("10,000", 10_000)
    for slider in panel.clients.values():
        slider.value = 10  # each can be set


def test_stop_ends_it_and_the_picture_stays(open_panel, server):
    panel = open_panel(server, [("silent", 2, {"for": 60})], seconds=60)
    panel.run.click()
    eventually(lambda: panel.experiment.story.as_dict()["lanes"][0]["spans"], "the first client")
    panel.stop.click()
    assert panel.wait(PATIENCE)
    assert (panel.run.disabled, panel.stop.disabled) == (False, True)
    assert panel.timeline.state["lanes"][0]["spans"]
    assert server.alive


def test_a_second_run_replaces_the_first(open_panel, server):
    panel = open_panel(server, [("silent", 1, {"for": 60}), ("polite", 1)], seconds=60)
    panel.run.click()
    first = panel.experiment
    panel.clients["silent"].value = 0
    panel.run.click()
    assert panel.experiment is not first and not first.running
    assert panel.wait(PATIENCE)
    assert [lane["label"] for lane in panel.timeline.state["lanes"]] == ["polite 1"]


def test_a_server_has_one_panel(open_panel, server):
    first = open_panel(server, [("silent", 1, {"for": 60})], seconds=60)
    first.run.click()
    experiment = first.experiment
    second = open_panel(server)
    assert not experiment.running and first.comm is None
    assert panels._open[server] is second


def test_a_closed_panel_leaves_no_process(open_panel, server):
    panel = open_panel(server, [("silent", 1, {"for": 60})], seconds=60)
    panel.run.click()
    probe = panel.experiment._probe
    panel.close()
    assert not probe.alive and procfs.process(probe.pid) is None
    panel.close()  # harmless


def test_an_ended_server_is_named_with_its_last_words(open_panel):
    with launch.run([sys.executable, "-c", MORTAL], model="mortal") as server:
        panel = open_panel(server, [("polite", 1)])
        panel.run.click()
        assert panel.wait(PATIENCE)
        assert "Exit status 1" in panel.said.value and "the disk is full" in panel.said.value
        before = panel.experiment
        panel.run.click()  # and once more, against nobody
        assert before is not None and panel.experiment is None and not panel.wait(0)
        assert "The server has ended. Start it again" in panel.said.value
        assert "the disk is full" in panel.said.value and not panel.run.disabled
        with pytest.raises(ProcessLookupError, match="expected a running server"):
            pictures.xray(server)


def test_a_killed_server_is_named_by_its_signal(open_panel, server):
    panel = open_panel(server, [("silent", 1, {"for": 60})], seconds=60)
    panel.run.click()
    eventually(lambda: panel.experiment.xray, "a first look")
    server.signal(signal.SIGKILL)
    assert panel.wait(PATIENCE)
    assert "Killed by SIGKILL" in panel.said.value


def test_what_is_too_much_is_said_in_the_panel(open_panel, server, monkeypatch):
    monkeypatch.setattr("evolution.lab.clients.most", lambda: 10)
    panel = open_panel(server, [("polite", 1)])
    panel.clients["polite"].value = 20
    panel.run.click()
    assert "expected at most 10 clients on this machine, not 20" in panel.said.value
    assert not panel.run.disabled and panel.experiment is None


def test_an_impossible_crowd_makes_no_panel(server):
    before = set(_instances)
    with pytest.raises(ClientError, match="expected one of the cards"):
        panels.panel(server, [("rude", 1)])
    assert set(_instances) == before and server not in panels._open


def test_an_open_xray_follows_and_a_closed_one_costs_nothing(open_panel, server):
    panel = open_panel(server, SHORT)
    sent = []
    panel.xray.send = sent.append
    panel.run.click()
    assert panel.wait(PATIENCE)
    assert sent == []
    panel.fold.value = True
    assert panel.xray.state == panel.experiment.xray
    panel.run.click()
    assert panel.wait(PATIENCE)
    assert panel.xray.state == panel.experiment.xray
    assert "recv" in str(sent)


def test_an_xray_before_any_run_looks_at_the_server(open_panel, server):
    panel = open_panel(server)
    panel.fold.value = True
    assert panel.xray.state["server"]["pid"] == server.pid


def test_a_failing_picture_does_not_lock_the_panel(open_panel, server, capsys):
    panel = open_panel(server, SHORT)
    panel.timeline.push = lambda update: 1 / 0
    panel.run.click()
    assert panel.wait(PATIENCE)
    assert not panel.run.disabled and "The picture is not complete" in panel.said.value
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_predictions_become_ghost_marks(server):
    experiment = lab.run(server, [("polite", 2)])
    shown = lab.show(experiment, predicted={"polite 2": 0.5, "c1": 1})
    assert [(each["lane"], each["t"]) for each in shown.state["guesses"]] == [("c2", 0.5), ("c1", 1.0)]
    assert experiment.story.as_dict()["guesses"] == []
    with pytest.raises(ValueError, match="expected one of the clients polite 1, polite 2; not 'polite 3'"):
        lab.show(experiment, predicted={"polite 3": 1})
    for part in controls.family(shown):
        part.close()


@pytest.mark.parametrize(
    ("numbers", "crowd"),
    [
        ({"polite": 5, "silent": 1}, [("polite", 2), ("silent", 1), ("polite", 3)]),
        ({"polite": 7, "silent": 1}, [("polite", 2), ("silent", 1), ("polite", 5)]),
        ({"polite": 1, "silent": 1}, [("polite", 1), ("silent", 1)]),
        ({"polite": 3, "idle": 9}, [("polite", 2), ("idle", 9), ("polite", 1)]),
        ({}, []),
    ],
)
def test_numbers_change_and_the_order_stays(numbers, crowd):
    choice = Choice([("polite", 2, {}), ("silent", 1, {}), ("polite", 3, {})])
    assert (choice.asked("polite"), choice.asked("silent"), choice.asked("idle")) == (5, 1, 0)
    every = dict.fromkeys(CARDS, 0) | numbers
    assert [entry[:2] for entry in choice.crowd(every)] == crowd


def test_a_crowd_in_words():
    assert words([("idle", 2000, {})]) == "2,000 clients: 2,000 idle"
    assert words([("polite", 1, {})]) == "1 client: 1 polite"
    assert words([]) == "no clients"
