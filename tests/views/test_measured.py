"""Scaling, survival grid, race and table: every fact of a state is in the picture, and nothing is cut off."""

import xml.etree.ElementTree as ET

import pytest

from evolution.views import Race, Scaling, Survival, figure, marks, table

VIEWS = (Scaling, Survival, Race)
SVG = "{http://www.w3.org/2000/svg}"

TABLE = {
    "title": "The evolution table",
    "sentence": "Blocking served nobody beside one silent client.",
    "columns": [
        "model",
        "answer, alone",
        "beside a silent one",
        "CPU for a request",
        "idle connection",
        "for 20",
    ],
    "rows": [
        [
            "blocking",
            "100 µs",
            "nobody served for 2.0 s",
            "11 µs",
            "11 MiB, a process",
            "1 process; serves 1",
        ],
        ["multireactor", "110 µs", "120 µs", "8.1 µs", "0.4 KiB", "1 process"],
    ],
    "stuck": ["blocking"],
    "stamp": "Linux 6.18.0, 2 cores, Python 3.11.7, 2026-11-24",
}


def drawn(view):
    return ET.fromstring(view.svg())


def found(root, name):
    """What the marks of a picture carry as data-NAME."""
    return [each.get(f"data-{name}") for each in root.iter() if each.get(f"data-{name}") is not None]


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_view_shows_a_recorded_run_and_says_so(view):
    shown = view()
    assert shown.state["recorded"] and shown.text().startswith("Recorded: " + shown.state["sentence"])
    root = drawn(shown)
    words = " ".join("".join(root.itertext()).split())
    assert (
        shown.state["title"] in words
        and "Recorded: " in words
        and figure.machine(shown.state["machine"]) in words
    )
    assert not view(view.example() | {"recorded": False}).text().startswith("Recorded")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("width", figure.WIDTHS)
def test_nothing_is_cut_off_at_any_width(view, width):
    shown = view().draw(view.example(), width)
    for mark in shown.marks:
        if mark["kind"] != "text" or "transform" in mark["set"]:
            continue
        x, wide = mark["set"]["x"], len(mark["text"]) * (5.4 if "heading" not in mark["look"] else 5.9)
        anchor = mark["set"]["text-anchor"]
        left = x - wide if anchor == "end" else x - wide / 2 if anchor == "middle" else x
        assert left >= -4 and left + wide <= width + 8, mark["text"]
        assert 0 <= mark["set"]["y"] <= shown.height, mark["text"]


@pytest.mark.parametrize("view", VIEWS)
def test_colours_are_roles_and_hits_can_be_reached(view):
    for width in figure.WIDTHS:
        shown = view().draw(view.example(), width)
        roles = {role for mark in shown.marks for role in mark["paint"].values() if role}
        assert roles <= set(marks.PALETTE)
        hits = [mark for mark in shown.marks if mark.get("item")]
        assert hits and all(mark["tip"]["head"] for mark in hits)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_have_their_own_page(view, theme):
    page = marks.PALETTE["page"][("light", "dark").index(theme)]
    assert f'fill="{page}"' in view().svg(theme)
    with pytest.raises(ValueError, match="'light' or 'dark', not 'blue'"):
        view().svg("blue")


def test_each_point_is_drawn_and_the_end_of_select_with_its_error():
    view = Scaling(Scaling.example() | {"guesses": [{"kind": "poll", "n": 1000, "us": 20.0}]})
    root, state = drawn(view), view.state
    told = sorted((p["kind"], str(p["n"]), str(p["us"])) for p in state["points"] if not p["error"])
    seen = [each for each in root.iter() if each.get("data-point")]
    assert sorted((each.get("data-point"), each.get("data-n"), each.get("data-us")) for each in seen) == told
    assert found(root, "line") == [line["kind"] for line in state["lines"]]
    assert found(root, "edge") == [str(state["edge"]["n"])] and found(root, "guess") == ["poll"]
    assert state["edge"]["error"] in " ".join(root.itertext())
    assert "predicted: poll at 1,000: 20 µs" in view.text()


def test_twice_as_much_lies_higher_and_further_right():
    state = Scaling.example()
    shown = Scaling().draw(state, 720)
    places = {
        (mark["data"]["point"], mark["data"]["n"]): mark["set"]
        for mark in shown.marks
        if "point" in mark.get("data", {})
    }
    assert places["poll", 10]["x"] < places["poll", 100]["x"] < places["poll", 5000]["x"]
    assert places["poll", 10]["y"] > places["poll", 100]["y"] > places["poll", 5000]["y"]
    assert abs(places["epoll", 10]["y"] - places["epoll", 5000]["y"]) < 20


def test_each_run_has_its_cell():
    view = Survival()
    root, state = drawn(view), view.state
    told = [(cell["model"], cell["card"], cell["verdict"]) for cell in state["cells"]]
    seen = [each for each in root.iter() if each.get("data-verdict")]
    drawn_cells = [(each.get("data-model"), each.get("data-card"), each.get("data-verdict")) for each in seen]
    assert sorted(drawn_cells) == sorted(told) and len(told) == 72
    assert "nobody served for 2 s" in " ".join(root.itertext())
    assert view.text().count("⧗") == 1 + sum(verdict == "nobody" for *_, verdict in told)


def test_a_grid_that_fills():
    state = Survival.example()
    state |= {"cells": state["cells"][:3], "underway": [["fork", "idle"]], "running": True, "recorded": False}
    view = Survival(state)
    assert len(found(drawn(view), "verdict")) == 3 and len(found(drawn(view), "underway")) == 1


@pytest.mark.parametrize("width", figure.WIDTHS)
def test_a_row_without_runs_says_so_when_nothing_runs(width):
    state = Survival.example()
    state |= {"cells": [cell for cell in state["cells"] if cell["model"] != "fork"]}
    view = Survival(state)
    for running, times in ((False, 1), (True, 0)):
        state["running"] = running
        words = [mark["text"] for mark in view.draw(state, width).marks if mark["kind"] == "text"]
        assert words.count("not run yet") == times
        assert "\n".join(view.words(state)).count("not run yet") == times


def test_who_clicks_on_a_cell_is_heard():
    view, heard = Survival(), []
    view.on_pick(lambda model, card: heard.append((model, card)))
    view._asked(view, {"kind": "replay", "model": "fork", "card": "idle"}, [])
    view._asked(view, {"kind": "something else"}, [])
    assert heard == [("fork", "idle")]


def test_each_figure_of_the_race_has_its_bar():
    view = Race()
    root, state = drawn(view), view.state
    told = {f"{column}-{row['name']}" for row in state["rows"] for column in row["cells"]}
    bars = {
        f"{column}-{row['name']}" for row in state["rows"] for column, c in row["cells"].items() if c["value"]
    }
    assert set(found(root, "cell")) == told and set(found(root, "bar")) == bars
    lengths = {each.get("data-bar"): float(each.get("width")) for each in root.iter() if each.get("data-bar")}
    values = {row["name"]: row["cells"]["cpu"]["value"] for row in state["rows"]}
    top = max(values, key=values.get)
    for name, value in values.items():
        share = lengths[f"cpu-{name}"] / lengths[f"cpu-{top}"]
        assert share == pytest.approx(value / values[top], rel=0.02)


def test_the_table_as_a_picture():
    root = ET.fromstring(table.drawing(TABLE))
    words = "".join(root.itertext())
    assert all(cell in words for row in TABLE["rows"] for cell in row) and TABLE["stamp"] in words


def test_places_are_moved_apart_and_keep_their_order():
    assert figure.spaced([10, 11, 50], 20, 0, 100) == [10, 30, 50]
    assert figure.spaced([98, 97], 20, 0, 100) == [100, 80]
    assert figure.spaced([], 20, 0, 100) == []


@pytest.mark.parametrize("numbers", [(1000, 5000), (1000, 1100), (10, 1100)])
def test_the_end_of_select_has_room_wherever_it_lies(numbers):
    state = Scaling.example()
    low, high = numbers
    seen = [
        dict(point, n=low if point["n"] == 10 else high)
        for point in state["points"]
        if point["n"] in (10, 5000)
    ]
    shown = Scaling().draw(state | {"points": seen}, 320)
    (end,) = [mark for mark in shown.marks if mark.get("text", "").startswith("select ends at")]
    wide = len(end["text"]) * 5.9
    left = end["set"]["x"] - (wide if end["set"]["text-anchor"] == "end" else 0)
    assert left >= 0 and left + wide <= 324
