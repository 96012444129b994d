"""The view of the seven steps: what is drawn is what the frame says, in every width and in the twins."""

import xml.etree.ElementTree as ElementTree

import pytest

from evolution.views import figure
from evolution.views.steps import Steps, telling
from evolution.views.steps_figure import draw, two_hands

STATE = Steps.example() | {"recorded": False}


def marks(frame, width=720):
    return draw(STATE, frame, width).as_dict()["marks"]


def placed(frame, place):
    return [mark["data"]["conn"] for mark in marks(frame) if mark.get("data", {}).get("place") == place]


@pytest.mark.parametrize("number", range(len(STATE["frames"])))
def test_a_connection_is_drawn_where_it_is(number):
    frame = STATE["frames"][number]
    assert placed(frame, "list") == list(frame["epoll"])
    assert placed(frame, "queue") == frame["queue"]
    assert sorted(placed(frame, "hand")) == sorted(frame["hands"].values())
    assert placed(frame, "two") == []
    now = [mark["data"]["step"] for mark in marks(frame) if mark.get("data", {}).get("now")]
    assert now == [frame["step"]]


def test_two_hands_are_drawn_as_such_and_named():
    frame = STATE["frames"][-1] | {"hands": {"worker 1": "A", "worker 2": "A"}}
    assert two_hands(frame) and placed(frame, "two") == ["A", "A"]
    said = [mark.get("text") for mark in marks(frame)]
    assert said.count("two workers in one socket") == 2


def test_a_long_queue_says_how_long_it_is():
    frame = STATE["frames"][-1] | {"queue": ["A"] * 12, "length": 4312}
    said = [mark.get("text") for mark in marks(frame)]
    assert "4,312" in said and "and 4,300 more" in said


@pytest.mark.parametrize("width", figure.WIDTHS)
def test_nothing_is_wider_than_its_page(width):
    for frame in STATE["frames"]:
        for mark in draw(STATE, frame, width).marks:
            box = mark["set"]
            if mark["kind"] == "rect":
                assert box["x"] >= -3 and box["x"] + box["width"] <= width + 1, mark


def test_the_browser_gets_every_step_and_each_mark_once():
    view = Steps(STATE)
    for width, book in view.book.items():
        assert len(book["frames"]) == len(STATE["frames"])
        last = [book["marks"][index] for index in book["frames"][-1]]
        assert last == draw(STATE, STATE["frames"][-1], int(width)).as_dict()["marks"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_twins(theme):
    view = Steps(STATE)
    ElementTree.fromstring(view.svg(theme))
    frame = STATE["frames"][telling(STATE["frames"])]
    assert frame["words"][:20] in view.svg(theme)
    lines = view.text().splitlines()
    assert lines[0] == STATE["sentence"]
    assert sum("[" in line for line in lines) == len(STATE["frames"])


def test_a_run_that_goes_on_says_so():
    counts = STATE["counts"]
    assert Steps(STATE).more == ""
    long = Steps(STATE | {"counts": counts | {"entries": 1122}})
    assert f"{counts['entries']} of its 1,122 entries" in long.more
    assert long.more in long.text().splitlines()[-2]


def test_without_a_run_it_shows_a_recorded_one():
    view = Steps()
    assert view.text().startswith("Recorded: ")
