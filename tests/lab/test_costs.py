"""What one wait costs: real calls among real connections, the fitted line, the words."""

import json
import subprocess
import sys

import pytest

from evolution.lab import costs
from evolution.lab.costs import Cost, CostError, Line, Point


def synthetic(kind, numbers, base, ns, error=None):
    found = [Point(kind, n, base + n * ns / 1000, ready=1, batches=9) for n in numbers]
    return [*found, Point(kind, error, None, error="ValueError: too far")] if error else found


def made(points, guesses=(), **more):
    kinds = dict.fromkeys(point.kind for point in points)
    lines = {kind: costs.fit(kind, points) for kind in kinds}
    facts = {"active": 1, "edge": None, "left_out": (), "room": 9000, "machine": {}} | more
    return Cost(points=tuple(points), lines=lines, guesses=tuple(guesses), **facts)


def test_poll_grows_and_epoll_does_not():
    found = costs.measure(idle=(10, 100, 5000), kinds=("poll", "epoll"), budget=0.5)
    if found.left_out:
        pytest.skip(f"the limit of descriptors here is too low: {found.sentence}")
    assert {point.ready for point in found.points} == {1}
    assert found.at("poll", 5000).us / found.at("poll", 100).us > 10
    assert found.at("epoll", 5000).us / found.at("epoll", 10).us < 3
    assert found.slopes["poll"] > 10 * found.slopes["epoll"]


def test_select_ends_at_descriptor_1024():
    found = costs.measure(idle=(100, 1000, 1500), kinds=("select",), budget=0.1)
    if found.left_out:
        pytest.skip(f"the limit of descriptors here is too low: {found.sentence}")
    assert found.at("select", 1000).error == ""
    assert "out of range" in found.at("select", 1500).error
    assert found.edge["fd"] == 1024 and 1000 < found.edge["n"] < 1024
    assert "ended at descriptor 1,024" in found.sentence


def test_when_all_are_ready_epoll_costs_more_than_poll():
    found = costs.measure(idle=(800,), active="all", kinds=("poll", "epoll"), budget=0.3)
    assert {point.ready for point in found.points} == {800}
    assert found.at("epoll", 800).us > found.at("poll", 800).us


def test_a_low_limit_is_said_and_kept_to():
    program = (
        "import resource, json\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600))\n"
        "from evolution.lab import costs\n"
        "found = costs.measure(idle=(10, 100, 1000), kinds=('poll',), budget=0.05)\n"
        "print(json.dumps([found.left_out, found.room, found.sentence, len(found.points)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    left_out, room, sentence, points = json.loads(done.stdout)
    assert (left_out, points) == ([1000], 2)
    assert 500 < room < 600
    assert f"allows {room:,} descriptors, so 1,000 is left out" in sentence


def test_the_line_through_exact_points_is_exact():
    line = costs.fit("poll", synthetic("poll", (10, 100, 1000, 5000), base=0.8, ns=90))
    assert line.base_us == pytest.approx(0.8, rel=0.02)
    assert line.ns == pytest.approx(90, rel=0.02)
    assert line.at(8000) == pytest.approx(720.8, rel=0.02)


def test_a_flat_law_has_no_slope():
    assert costs.fit("epoll", synthetic("epoll", (10, 100, 5000), base=0.7, ns=0)).ns < 0.001


def test_one_point_makes_no_line():
    assert costs.fit("poll", synthetic("poll", (10,), 1, 1)) is None
    assert made(synthetic("poll", (10,), 1, 1), ()).points[0].n == 10


def test_the_words():
    points = [*synthetic("poll", (10, 5000), 1.0, 100), *synthetic("epoll", (10, 5000), 0.7, 0)]
    points += synthetic("select", (10, 1000), 1.5, 80, error=5000)
    edge = {"n": 1018, "fd": 1024, "error": "ValueError: too far"}
    said = made(points, [{"kind": "poll", "n": 5000, "us": 100.0}], edge=edge).sentence
    assert said.startswith(
        "From 10 to 5,000 idle descriptors: poll rose from 2.0 µs to 500 µs, 100 ns for each; "
    )
    assert "select rose from 2.3 µs to 82 µs, 80 ns for each, and ended at descriptor 1,024; " in said
    assert "epoll stayed at 0.7 µs for one call; " in said
    assert said.endswith("you predicted 100 µs for poll at 5,000: 5 times too little.")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"idle": ()}, "numbers of idle descriptors from 1 to 100,000"),
        ({"idle": (0, 10)}, "from 1 to 100,000"),
        ({"kinds": ("kqueue",)}, "out of select, poll, epoll, not ['kqueue']"),
        ({"active": "some"}, "or \"all\", not 'some'"),
        ({"guess": {"kqueue": 3}}, "predictions for select, poll, epoll, not for 'kqueue'"),
        ({"guess": {"poll": -1}}, "above 0, not -1"),
    ],
)
def test_a_mistake_is_said(options, said):
    with pytest.raises(CostError) as raised:
        costs.measure(**options)
    assert said in str(raised.value)


def test_a_prediction_is_for_the_largest_number_or_for_those_named():
    assert costs._guesses({"poll": 900}, ["poll"], 5000) == ({"kind": "poll", "n": 5000, "us": 900.0},)
    named = costs._guesses({"poll": {100: 8, 5000: 400}}, ["poll"], 5000)
    assert [(guess["n"], guess["us"]) for guess in named] == [(100, 8.0), (5000, 400.0)]


def test_at_names_what_there_is():
    with pytest.raises(CostError, match="poll 10, poll 100; not poll 99"):
        made(synthetic("poll", (10, 100), 1, 1)).at("poll", 99)
    assert Line("poll", 1.0, 50.0).at(1000) == 51.0
