"""The race: a small one for real, the ranking, the peers, the command."""

import shutil
import stat
import sys

import pytest

from evolution.lab import contenders, load, moves, races
from evolution.lab.experiment import ExperimentError
from evolution.lab.guarded import LaunchError
from evolution.lab.launch import start
from evolution.lab.races import Race, Value

pytestmark = [
    pytest.mark.xdist_group("races"),  # what is measured once serves all tests of this file
    pytest.mark.slow,
]

PATIENCE = 120.0


@pytest.fixture(scope="module")
def race():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(races, "ROUNDS", 1)
        patch.setattr(races, "CROWDS", (1_100,))
        race = Race(["prefork", "select_loop"], seconds=0.2, others=False)
        race.start()
        assert race.wait(PATIENCE)
        return race


def test_each_figure_is_there(race):
    names = {column.name for column in race.columns}
    assert all(set(values) == names for values in race.values.values())
    for values in race.values.values():
        assert all(values[name].value > 0 for name in ("rate", "cpu", "alone", "silent", "slow", "memory"))


def test_eleven_hundred_at_once(race):
    crowds = {name: values["crowd1100"] for name, values in race.values.items()}
    assert crowds["prefork"].value == 4 and crowds["prefork"].failed
    assert 1000 < crowds["select_loop"].value < 1024 and crowds["select_loop"].failed
    assert race.values["prefork"]["memory"].value > 10 * race.values["select_loop"]["memory"].value


def test_the_state_and_the_words(race):
    state = race.as_dict()
    assert {row["name"] for row in state["rows"]} == {"prefork", "select_loop"}
    assert "none of two answered 1,100 at once" in race.sentence
    assert state["generator"] in ("wrk", "the course's client")
    assert race.markdown().count("\n") == 6 and "Python" in race.markdown()
    assert race.progress == 1 and not race.running
    with pytest.raises(ExperimentError, match="was run before"):
        race.start()


def test_sorted_only_at_the_end():
    race = Race(["blocking", "fork", "threads"], others=False)
    for name, cost in (("blocking", 9.0), ("fork", 30.0), ("threads", 3.0)):
        race.values[name]["cpu"] = Value(cost, cost, cost, f"{cost:.0f} µs")
    assert race.ranking == ["blocking", "fork", "threads"]
    race._done.set()
    assert race.ranking == ["threads", "blocking", "fork"]
    assert race.sentence == "A request cost 3 µs of a processor in threads, 30 µs in fork."


def test_a_generator_at_its_limit_is_said():
    race = Race(["blocking"], others=False)
    for saturated in (True, False):
        found = {"by": "wrk", "per_second": 50_000, "us": 8.0, "share": 0.97, "median": 0.001}
        race._take("blocking", "throughput", {}, found | {"saturated": saturated})
    assert race.values["blocking"]["rate"].said == "≥ 50 k"
    assert "where ≥ stands, wrk and not the server was the limit" in race.sentence


def test_stop_ends_it():
    race = Race(["blocking"], seconds=5, others=False)
    race.start()
    while race.underway is None:
        race.wait(0.01)
    race.stop()
    assert race.wait(PATIENCE) and not race.running and race.values["blocking"] == {}


def test_the_courses_own_client_is_a_load_as_well():
    with start("select_loop") as server:
        seen = load.ask_round(server.address.port, 8, 0.1, meter=iter((1.0, 3.0)).__next__)
    assert seen.requests > 8 and seen.errors == 0 and seen.by == "the course's client"
    assert seen.median <= seen.p99 and 0 < seen.share <= 1.05 and seen.served == 2.0


FAKE = """#!{python}
import http.server, sys
assert sys.argv[1] == "-S" and "hello world" in open(sys.argv[5]).read()
host, port = sys.argv[2].split(":")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")
http.server.HTTPServer((host, int(port)), Answer).serve_forever()
"""


@pytest.fixture
def fake_php(tmp_path, monkeypatch):
    """A program that takes PHP's arguments: there may be no PHP here."""
    path = tmp_path / "php"
    path.write_text(FAKE.replace("{python}", sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_a_peer_is_ready_when_it_is_there_and_takes_its_folder_along(fake_php):
    with contenders.peers()["php -S"]() as peer:
        folder = contenders.Path(peer._folder.name)
        assert moves.ask(peer).status == 200 and folder.is_dir()
    assert not folder.exists() and not peer.alive


def test_nginx_serves_where_it_is_installed():
    if not (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")):
        pytest.skip("no nginx here: apt-get install nginx-light")
    with contenders.peers()["nginx"]() as peer:
        assert moves.ask(peer).body == b"hello world!"


def test_a_peer_that_does_not_start_is_said():
    with pytest.raises(LaunchError, match="expected nobody to accept connections; its last words: no way"):
        contenders.Peer("nobody", lambda folder, port: [sys.executable, "-c", "raise SystemExit('no way')"])


def test_the_command(capsys, monkeypatch):
    assert races.main(["apache"]) == 1
    assert "not 'apache'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        races.main(["--seconds", "soon"])
    (line,) = capsys.readouterr().err.splitlines()
    assert "invalid float value: 'soon'" in line
    monkeypatch.setattr(races.Race, "_steps", lambda self: [("blocking", "alone", {})])
    assert races.main(["blocking", "--alone", "--markdown"]) == 0
    assert "| blocking |" in capsys.readouterr().out
