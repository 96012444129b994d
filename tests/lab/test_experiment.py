"""Real experiments against real servers: what was seen is told, and nothing is left behind."""

import json
import os
import signal
import sys
import threading

import psutil
import pytest

from evolution.lab import experiment as experiment_module
from evolution.lab import launch, procfs
from evolution.lab.clients import ClientError
from evolution.lab.experiment import Experiment, ExperimentError, run
from evolution.lab.increments import apply
from evolution.lab.recording import parse

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for a fact."""

LINE = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print("listening 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    sock, _ = listener.accept()
    data = b""
    try:
        while b"\\r\\n\\r\\n" not in data and (more := sock.recv(65536)):
            data += more
    except ConnectionResetError:
        pass
    if b"/die" in data:
        sys.exit("the disk is full")
    if data:
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    sock.close()
"""
"""A server that takes one client at a time and keeps nobody's time."""


@pytest.fixture
def server():
    with launch.run([sys.executable, "-c", LINE], model="line") as server:
        yield server


@pytest.fixture
def begin():
    """Start an experiment; whatever happens, it is stopped at the end."""
    begun = []

    def begin(*args, **options):
        experiment = Experiment(*args, **options)
        begun.append(experiment)
        experiment.start()
        return experiment

    yield begin
    for experiment in begun:
        experiment.stop()


class Heard:
    """What a subscriber heard, and an event for each fact that it waits for."""

    def __init__(self, experiment):
        self.state, self.updates = experiment.story.as_dict(), []
        self.condition = threading.Condition()
        experiment.subscribe(self)

    def __call__(self, update):
        with self.condition:
            self.updates.append(update)
            if update["kind"] == "timeline":
                self.state = apply(self.state, update)
            self.condition.notify_all()

    def until(self, fact):
        """Wait until `fact(state)` is true of the picture heard so far."""
        with self.condition:
            assert self.condition.wait_for(lambda: fact(self.state), PATIENCE), self.state


def lanes(state):
    return {lane["label"]: lane for lane in state["lanes"]}


def states(state, label):
    return [span["state"] for span in lanes(state)[label]["spans"]]


def silent_is_served(state):
    return "served" in states(state, "silent 1")


def nothing_left(*pids):
    return [pid for pid in pids if psutil.pid_exists(pid)] == []


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


def test_stop_ends_everything_at_once(server, begin):
    experiment = begin(server, [("silent", 1, {"for": 60.0}), ("polite", 3)], seconds=60.0)
    heard = Heard(experiment)
    heard.until(silent_is_served)
    pids = experiment._probe.pid, experiment._probe.guard_pid
    assert experiment.running and not nothing_left(*pids)
    experiment.stop()
    assert nothing_left(*pids)
    assert experiment.wait(0) and not experiment.running
    state = experiment.story.as_dict()
    assert [lane["end"]["state"] for lane in state["lanes"]] == ["closed"] * 4
    assert "; the experiment was stopped after " in state["sentence"]
    assert not experiment._thread.is_alive()
    experiment.stop()  # once more: harmless


def test_stop_before_the_start_is_harmless(server):
    experiment = Experiment(server, ["silent"])
    experiment.stop()
    assert not experiment.running and not experiment.wait(0)


def test_stop_from_a_callback(server, capsys):
    experiment = Experiment(server, [("silent", 1, {"for": 60.0})], seconds=60.0)
    experiment.subscribe(lambda update: experiment.stop())
    experiment.start()
    assert experiment.wait(PATIENCE)
    assert nothing_left(experiment._probe.pid)
    assert capsys.readouterr().err == ""


def test_a_second_start_is_refused(server, begin):
    experiment = begin(server, [("silent", 1, {"for": 0.0})])
    with pytest.raises(ExperimentError, match="started before; make a new one"):
        experiment.start()
    assert experiment.wait(PATIENCE)
    with pytest.raises(ExperimentError, match="started before"):
        experiment.start()


def test_a_server_that_does_not_run_is_refused(server):
    server.stop()
    with pytest.raises(ExperimentError, match="expected a running server"):
        Experiment(server, ["polite"]).start()


def test_a_bad_crowd_is_refused_before_anything_starts(server):
    with pytest.raises(ClientError, match="expected one of the cards"):
        Experiment(server, [("rude", 1)])


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


def test_a_listener_that_fails_is_left_out_and_the_rest_goes_on(server, begin, capsys):
    experiment = Experiment(server, [("silent", 1, {"for": 0.2})])
    calls = []

    def bad(update):
        calls.append(update)
        raise RuntimeError("no")

    experiment.subscribe(bad)
    heard = Heard(experiment)
    experiment.start()
    assert experiment.wait(PATIENCE)
    assert len(calls) == 1 and heard.state["running"] is False
    assert "RuntimeError: no" in capsys.readouterr().err


def test_unsubscribed_it_hears_nothing_more(server):
    experiment = Experiment(server, [("silent", 1, {"for": 0.1})])
    calls = []
    experiment.subscribe(calls.append)()
    experiment.start()
    assert experiment.wait(PATIENCE) and calls == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_the_sampling_leaves_no_clients_behind(server, begin, monkeypatch):
    def fault(*_, **__):
        raise RuntimeError("no /proc")

    monkeypatch.setattr(procfs, "snapshot", fault)
    experiment = begin(server, [("silent", 1, {"for": 60.0})], seconds=60.0)
    assert experiment.wait(PATIENCE)
    assert nothing_left(experiment._probe.pid)


@pytest.mark.parametrize("victim", ["pid", "guard_pid"])
def test_a_probe_that_is_killed_is_reported(server, begin, victim, orphanage):
    """Its guard's death takes it along."""
    experiment = begin(server, [("silent", 1, {"for": 60.0})], seconds=60.0)
    Heard(experiment).until(silent_is_served)
    os.kill(getattr(experiment._probe, victim), signal.SIGKILL)
    assert experiment.wait(PATIENCE)
    assert "; the clients' process died" in experiment.story.as_dict()["sentence"]
    orphanage.await_end([experiment._probe.pid])


def test_run_does_not_wait_for_ever(server, monkeypatch):
    monkeypatch.setattr(experiment_module, "PATIENCE", 0.0)
    monkeypatch.setattr(Experiment, "wait", lambda self, timeout: False)
    with pytest.raises(ExperimentError, match="expected the experiment to end after 5 s"):
        run(server, [("silent", 1, {"for": 0.0})])


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
