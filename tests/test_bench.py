"""The measurements run, say what they saw in the shape that is documented, and leave nothing behind.

Facts only: that a figure is good or bad is no business of a test.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
from serving import PATIENCE, adopting, bury, eventually

from bench import crowd, idle, latency, machine, memory, plot, report, requests, servers, workers

ROOT = Path(__file__).parents[1]

needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")


@pytest.fixture(autouse=True)
def nothing_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(tmp_path.iterdir()) == []


def shape(rows):
    """The keys that all rows have in common: every row must have the same."""
    keys = {tuple(row) for row in rows}
    assert len(keys) == 1, keys
    return set(keys.pop())


@needs_wrk
def test_requests():
    found = requests.compare({"epoll_loop": None, "blocking": None}, requests.WAYS, rounds=1)
    assert shape(found["rows"]) == {
        *("server", "way", "us", "spread", "ratio", "p50_us", "p99_us", "rps", "errors", "load"),
    }  # fmt: skip
    assert {(row["server"], row["way"]) for row in found["rows"]} == {
        (name, way) for name in ("epoll_loop", "blocking") for way in requests.WAYS
    }
    assert all(row["ratio"] == 1 for row in found["rows"] if row["server"] == "epoll_loop")
    assert all(row["us"] > 0 and row["errors"] == 0 for row in found["rows"])
    svg = plot.bars(found, "keep-alive", ("epoll_loop",))
    assert "blocking" in svg and ElementTree.fromstring(svg).tag.endswith("svg")


def test_idle_connections():
    found = idle.measure(full=False, points=(0, 30, 60), rounds=1, seconds=0.05)
    assert shape(found["rows"]) == {"server", "active", "idle", "us", "spread"}
    assert len(found["rows"]) == len(idle.KINDS) * 3 * len(idle.ACTIVE)
    assert all(row["us"] > 0 for row in found["rows"])
    assert shape(found["slopes"]) == {"server", "active", "ns"}
    assert "epoll_loop" in plot.lines(found) and ElementTree.fromstring(plot.lines(found)) is not None
    assert idle.table(found).count("\n") == 1 + len(found["slopes"])


def test_memory():
    models = {"blocking": 1, "threads": 10, "prefork": 3, "epoll_loop": 100}
    found = memory.measure(full=False, models=models, many=300)
    assert shape(found["rows"]) == {"server", "connections", "served", "kib"}
    assert {row["server"]: row["served"] for row in found["rows"]} == models, "each idle one is served"
    kib = {row["server"]: row["kib"] for row in found["rows"]}
    assert kib["prefork"] > kib["epoll_loop"], "a process costs more than an object"
    assert found["many"]["connections"] == found["many"]["served"] == 300


@pytest.mark.slow
def test_latency():
    found = latency.measure(full=True, models=("blocking", "epoll_loop"), rounds=1, seconds=0.4)
    assert shape(found["rows"]) == {
        *("server", "beside", "p50_ms", "p99_ms", "worst_ms", "answered", "waiting"),
    }  # fmt: skip
    answered = {(row["server"], row["beside"]): row["answered"] for row in found["rows"]}
    assert answered["blocking", "nobody"] > 0 and answered["blocking", "1 silent"] == 0
    assert all(answered["epoll_loop", beside] > 0 for beside in latency.BESIDE)
    assert latency.table(found).count("nobody served") == sum(not count for count in answered.values())


def test_balance():
    for how in workers.SHARING.values():
        seen = workers._balance(*how, "trickle", 20, 1)
        assert 1 <= seen["busiest"] <= workers.CREW
        assert seen["wakeups"] > 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_its_servers_end_with_it(how, tmp_path):
    """Ended in the middle, by a signal that it can catch or by one that it cannot."""
    command = [sys.executable, "-m", "bench", "--only", "latency"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with adopting():
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            eventually(lambda: measuring(psutil.Process(process.pid)), "clients, after a server")
            process.send_signal(how)
            assert process.wait(PATIENCE) == {signal.SIGTERM: 143, signal.SIGKILL: -9}[how]
        finally:
            process.kill()
            process.wait()
        eventually(lambda: not any(map(lives, psutil.Process().children())), "the end of all orphans")
        for orphan in psutil.Process().children():
            bury(orphan.pid)
    for folder in tmp_path.iterdir():  # nobody is left to remove it
        assert how is signal.SIGKILL
        shutil.rmtree(folder)


def measuring(bench):
    """Whether there are clients: they are started when a server is ready."""
    with suppress(psutil.NoSuchProcess):  # one has ended meanwhile: the next look
        return any("bench.crowd" in each.cmdline() for each in bench.children())


def lives(process):
    """False for a zombie as well: in a container whose PID 1 never reaps it stays one."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_peer_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr(servers, "VENV", ROOT / "nowhere")
    found = memory.measure(full=False, models={"gevent": 10}, many=20)
    assert found["rows"] == [] and "expected bench/.venv" in found["missing"]["gevent"]


def test_clients_that_end_are_an_error():
    with crowd.Crowd(1) as clients, pytest.raises(RuntimeError, match="they ended"):
        clients.tell("open 1")  # nobody listens on port 1


def test_noise():
    with machine.Noise() as noise:
        pass
    assert set(noise.facts()) == {"seconds", "busy", "steal", "load"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "bench" / "results").glob("*.json")), ids=lambda path: path.stem
)
def test_results_say_where_they_come_from(path):
    found = json.loads(path.read_text())
    assert {"kernel", "cores", "processor", "python", "date"} <= set(found["machine"])
    assert found["rows"]


def test_the_page_shows_the_results():
    text = report.PAGE.read_text()
    assert report.page(text) == text, "python -m bench.report writes them"
    for name, svg in report.pictures().items():
        assert (report.PAGE.parent / "img" / name).read_text() == svg
        assert f"img/{name}" in text
