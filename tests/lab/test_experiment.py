"""Real experiments against real servers: what was seen is told, also of a server that dies."""

import json
import signal
import sys
import threading

import pytest
from experimenting import LINE, PATIENCE, Heard, lanes, silent_is_served, states

from evolution.lab import experiment as experiment_module
from evolution.lab import launch, procfs
from evolution.lab.experiment import Experiment, run
from evolution.lab.recording import parse


def test_the_silent_client_holds_the_server_and_the_others_wait(server):
    done = run(server, [("silent", 1, {"for": 0.6}), ("polite", 3)])
    state = done.story.as_dict()
    on_it = [span for span in lanes(state)["silent 1"]["spans"] if span["state"] == "served"]
    assert on_it and all(span["note"].startswith("recv(") and span["pid"] == server.pid for span in on_it)
    for number in (1, 2, 3):
        assert states(state, f"polite {number}")[-2:] == ["queued", "sending"]
        assert lanes(state)[f"polite {number}"]["end"]["state"] == "done"
    assert "the silent one held the server in recv(" in state["sentence"]
    assert "the others waited " in state["sentence"] and state["sentence"].endswith(" in the queue.")
    assert 3 in [length for _, length in state["queue"]["steps"]]
    assert [lane["id"] for lane in state["processes"]] == [f"p{server.pid}"]
    assert state["title"] == "line: 1 silent, 3 polite"
    assert (state["running"], done.running, done.progress) == (False, False, 1.0)


def test_what_the_subscribers_heard_is_the_whole_story(server, begin):
    experiment = Experiment(server, [("silent", 1, {"for": 0.3}), ("polite", 2)])
    heard = Heard(experiment)
    experiment.start()
    try:
        assert experiment.wait(PATIENCE)
        assert heard.state == experiment.story.as_dict()
        assert [each["kind"] for each in heard.updates[-3:]] == ["timeline", "xray", "progress"]
        assert heard.updates[-1] == {"kind": "progress", "value": 1.0, "running": False}
        assert heard.updates[-2]["state"] == experiment.xray
        json.dumps(heard.updates)
    finally:
        experiment.stop()


def test_the_xray_names_the_clients(server, begin):
    experiment = Experiment(server, [("silent", 1, {"for": 60.0})], seconds=60.0)
    seen = threading.Event()

    def listen(update):
        if update["kind"] == "xray" and update["state"]["clients"]:
            seen.xray = update["state"]
            seen.set()

    experiment.subscribe(listen)
    experiment.start()
    try:
        assert seen.wait(PATIENCE)
        (client,) = seen.xray["clients"]
        assert (client["id"], client["label"]) == ("c1", "silent 1")
        assert client["port"] in [each["port"] for each in seen.xray["connections"]]
    finally:
        experiment.stop()


def test_the_recording_tells_the_same(server):
    done = run(server, [("silent", 1, {"for": 0.2}), ("polite", 2)])
    again = parse(done.recording.lines())
    assert again.as_dict() == done.story.as_dict() | {"recorded": True}


def test_a_server_that_dies_is_shown_dying(server):
    done = run(server, [("silent", 1, {"for": 0.2}), ("polite", 1, {"path": "/die"}), ("polite", 1)])
    state = done.story.as_dict()
    assert "the server died after " in state["sentence"]
    assert state["sentence"].endswith(" with exit status 1: the disk is full.")
    assert state["processes"][0]["end"]["state"] == "gone"
    assert lanes(state)["polite 2"]["end"]["state"] in ("reset", "closed", "refused")


def test_a_death_that_is_known_only_a_moment_after_its_clients_were_cut_off(server):
    class LateNews:
        """The server, but until somebody waits for its end it seems to be alive."""

        waited = False

        def __getattr__(self, name):
            return getattr(server, name)

        @property
        def alive(self):
            return not self.waited

        def wait(self, timeout):
            self.waited = True
            return server.wait(PATIENCE)

    done = run(LateNews(), [("polite", 1, {"path": "/die"})])
    assert done.story.as_dict()["sentence"].endswith(" with exit status 1: the disk is full.")


def test_a_server_that_is_killed(server, begin):
    experiment = Experiment(server, [("silent", 1, {"for": 60.0})], seconds=60.0)
    heard = Heard(experiment)
    experiment.start()
    try:
        heard.until(silent_is_served)
        server.signal(signal.SIGKILL)
        assert experiment.wait(PATIENCE)  # its only client has ended, so the experiment has
        assert experiment.story.as_dict()["sentence"].endswith(", killed by signal 9.")
    finally:
        experiment.stop()


def test_a_server_on_all_addresses_is_met_on_this_machine():
    everywhere = LINE.replace('create_server(("127.0.0.1"', 'create_server(("0.0.0.0"')
    with launch.run(
        [sys.executable, "-c", everywhere.replace("listening 127.0.0.1", "listening 0.0.0.0")]
    ) as server:
        assert run(server, [("polite", 1)]).story.counts["done"] == 1


def test_two_experiments_at_once(server, begin):
    """Each sees its own clients as its own, and the server's process as the same one."""
    with launch.run([sys.executable, "-c", LINE], model="line") as another:
        both = [begin(each, [("silent", 1, {"for": 0.3}), ("polite", 1)]) for each in (server, another)]
        assert all(experiment.wait(PATIENCE) for experiment in both)
        for experiment, of in zip(both, (server, another), strict=True):
            state = experiment.story.as_dict()
            assert state["processes"][0]["id"] == f"p{of.pid}"
            assert [lane["end"]["state"] for lane in state["lanes"]] == ["done", "done"]


def test_unsubscribed_it_hears_nothing_more(server):
    experiment = Experiment(server, [("silent", 1, {"for": 0.1})])
    calls = []
    experiment.subscribe(calls.append)()
    experiment.start()
    assert experiment.wait(PATIENCE) and calls == []


def test_a_crowd_is_counted_in_bands(server):
    done = run(server, [("vanishing", 100), ("polite", 1)])
    state = done.story.as_dict()
    assert state["clients"] == 101 and len(state["lanes"]) < 60
    assert state["bands"][-1][1] == {"reset": 100, "done": 1}
    assert state["sentence"].startswith("101 clients; ") and "100 vanishing ones reset" in state["sentence"]


def test_dear_samples_become_rare(server, begin, monkeypatch):
    """With no credit left, one sample a second is taken, whatever it costs."""
    monkeypatch.setattr(experiment_module, "CREDIT", -1e9)
    taken = []
    real = procfs.snapshot
    monkeypatch.setattr(
        procfs, "snapshot", lambda *args, **options: taken.append(1) or real(*args, **options)
    )
    run(server, [("silent", 1, {"for": 0.5})])
    assert len(taken) <= 2  # at most one in between, and the last


@pytest.mark.parametrize("model", ["blocking", "epoll_loop"])
def test_every_card_against_a_real_model(model):
    crowd = [
        ("polite", 1),
        ("keep_alive", 1, {"pause": 0.05}),
        ("half_closing", 1),
        ("pipelining", 1),
        ("dripping", 1, {"interval": 0.001}),
        ("slow_reader", 1, {"path": "/big?bytes=20000", "interval": 0.001}),
        ("resetting", 1, {"for": 0.0}),
        ("vanishing", 3),
        ("silent", 1, {"for": 0.0}),
        ("idle", 5, {"for": 0.0}),
        ("polite", 1),
    ]
    with launch.start(model) as server:
        done = run(server, crowd, seconds=20.0)
        assert server.alive
    ends = {lane["label"]: lane["end"]["state"] for lane in done.story.as_dict()["lanes"]}
    own_resets = {"resetting 1", "vanishing 1", "vanishing 2", "vanishing 3"}
    assert ends == {label: "reset" if label in own_resets else "done" for label in ends}
    assert len(ends) == 17
