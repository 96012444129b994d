"""The command line: one line of error and a status, never a traceback."""

import itertools
import json
import subprocess
import sys

import pytest
from serving import PATIENCE, ask, serve

from evolution import GENERATIONS


def evolution(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "evolution", *words], capture_output=True, text=True, timeout=PATIENCE, cwd=cwd
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["serve", "apache"], 1, "expected a model, one of blocking, fork,"),
        (["serve", "blocking", "http://x:1/"], 1, "expected tcp://host:port, not 'http://x:1/'"),
        (["serve", "blocking", "127.0.0.1:70000"], 1, "from 0 to 65535, not 70000"),
        (["serve", "blocking", "192.0.2.1:0"], 1, "'192.0.2.1' is not an address of this machine"),
        (["serve", "blocking", "127.0.0.1:0", "--workers", "0"], 1, "at least 1 worker, not 0"),
        (["serve", "blocking", "127.0.0.1:0", "--workers", "two"], 2, "invalid int value: 'two'"),
        (["serve", "blocking", "127.0.0.1:0", "--share", "port"], 1, "--share is an option of multireactor"),
        (["serve", "multireactor", "127.0.0.1:0", "--share", "cpu"], 2, "invalid choice: 'cpu'"),
        (["serve"], 2, "MODEL"),
        ([], 2, "COMMAND"),
        (["dance"], 2, "dance"),
        (["diff", "blocking", "apache"], 1, "not 'apache'"),
        (["check", "no_such_exercise"], 2, "no_such_exercise"),
    ],
)
def test_a_mistake_is_one_line(words, status, said):
    done = evolution(*words)
    assert (done.returncode, done.stdout) == (status, "")
    (line,) = done.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize(
    "words", [[], ["serve"], ["diff"], ["check"], ["progress"], ["grade"], ["report"], ["race"], ["doctor"]]
)
def test_help(words):
    done = evolution(*words, "--help")
    assert done.returncode == 0
    assert "usage: evolution" in done.stdout


def test_serve_prints_one_line():
    with serve("epoll_loop") as served:
        assert ask(served)[0] == 200
        assert served.stop() == 0
        assert (served.output(), served.errors()) == ([], [])


@pytest.mark.parametrize("share", ["port", "listener"])
def test_both_ways_of_sharing_serve(share):
    with serve("multireactor", "--share", share, "--workers", "3") as served:
        pids = {json.loads(ask(served, "/who")[2])["pid"] for _ in range(60)}
        assert pids <= set(served.workers())
        assert served.pid not in pids
        assert served.stop() == 0


def test_diff_tells_the_step_between_neighbours():
    for old, new in itertools.pairwise(GENERATIONS):
        done = evolution("diff", old, new)
        assert done.returncode == 0
        assert f"--- {old}.py" in done.stdout and f"+++ {new}.py" in done.stdout
    assert evolution("diff", "select_loop", "poll_loop").stdout.startswith("Changed since select_loop: ")


def test_doctor_has_a_line_for_each_finding():
    done = evolution("doctor")
    assert done.returncode == 0
    assert "epoll" in done.stdout and "strace" in done.stdout
