"""Experiments that are refused, stopped or go wrong: it is said how, and nothing is left behind."""

import os
import signal

import pytest
from experimenting import PATIENCE, Heard, nothing_left, silent_is_served

from evolution.lab import experiment as experiment_module
from evolution.lab import procfs
from evolution.lab.clients import ClientError
from evolution.lab.experiment import Experiment, ExperimentError, run


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
