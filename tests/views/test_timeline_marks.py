"""The timeline's marks: which stand for which state, in lanes, in the accept queue and in the bands of a crowd."""

import pytest
import view_states as states
from timeline_picture import SVG, placed, root

from evolution.views import marks
from evolution.views import timeline_state as model
from evolution.views.timeline_svg import drawing
from evolution.views.timeline_text import text


def lane(tree, name):
    return tree.find(f".//*[@data-lane='{name}']")


def drawn(group):
    """What is inside a mark, by its element and fill: the shape, apart from its place."""
    return [(node.tag.removeprefix(SVG), node.get("fill"), node.get("stroke")) for node in group]


# --- marks ---
def test_every_span_has_a_mark_and_every_end_a_glyph(state):
    tree = root(state)
    for source in [*model.shown(state), *state["processes"]]:
        group = lane(tree, source["id"])
        assert [m.get("data-state") for m in group.iterfind("*[@data-state]")] == [
            span["state"] for span in source["spans"]
        ]
        ends = [m.get("data-end") for m in group.iterfind("*[@data-end]")]
        assert ends == ([source["end"]["state"]] if source["end"] else [])


def test_a_mark_is_as_long_as_its_span():
    tree = root(states.blocking())
    silent = lane(tree, "c3").find("*[@data-state='served']")
    width = float(silent.find(f"{SVG}rect").get("width"))
    assert width == pytest.approx((2.30 - 0.40) / 3.0 * (700 - 136), abs=1)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("connecting", [("line", None, "quiet")]),
        ("queued", [("rect", "page", "queued")]),
        ("waiting", [("rect", "pale", "quiet")]),
        ("sending", [("rect", "pale", None), ("polygon", "sending", None)]),
        ("idle", [("line", None, "quiet")]),
    ],
)
def test_the_shape_of_a_state(name, shape):
    colour = {key: pair[0] for key, pair in marks.PALETTE.items()} | {None: None}
    mark = next(root(states.every_mark()).iterfind(f".//*[@data-state='{name}']"))
    expected = [(tag, colour[fill], colour[stroke]) for tag, fill, stroke in shape]
    assert [each for each in drawn(mark) if each[0] != "title"] == expected


def test_no_two_states_share_a_shape():
    """Colour alone never tells two marks of one lane apart."""
    for table in (marks.CLIENT, marks.ENDS, marks.PROCESS):
        shapes = [look[2] for look in table.values()]
        assert len(set(shapes)) == len(shapes)
    strands = [(look[2], look[3]) for look in marks.SLEEPS.values()]
    assert len(set(strands)) == len(strands)


def test_a_wide_bar_carries_its_pid_and_a_narrow_one_does_not():
    tree = root(states.blocking())
    assert "4711" in "".join(lane(tree, "c3").itertext())
    assert "4711" not in [t.text for t in lane(tree, "c1").iter(f"{SVG}text")]


def test_the_sleep_of_each_model_has_its_own_strands():
    def kinds(state):
        keys = [mark.get("data-key") for mark in root(state).iter() if mark.get("data-state") == "asleep"]
        return {key.removeprefix("sleeps.") for key in keys}

    assert kinds(states.blocking()) == {"accept", "one"}
    assert kinds(states.prefork()) == {"accept", "one", "other"}
    assert kinds(states.select()) == {"many"}
    assert kinds(states.reactor()) == {"many", "other"}


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        ("accept4(3)", "accept"),
        ("recv(5)", "one"),
        ("select", "many"),
        ("epoll_wait(4)", "many"),
        ("ep_poll", "many"),
        ("futex", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_kind_of_sleep(note, kind):
    assert marks.sleep_kind(note) == kind


def test_an_error_is_named_beside_its_mark():
    tree = root(states.every_mark())
    for client, name in (("c4", "ECONNREFUSED"), ("c5", "ETIMEDOUT"), ("c6", "ECONNRESET")):
        assert name in [node.text for node in lane(tree, client).iter(f"{SVG}text")]


def test_the_answer_rises_with_the_bytes_that_arrived():
    ramps = [
        m.find(f"{SVG}polygon").get("points")
        for m in lane(root(states.every_mark()), "c2")
        if m.get("data-state") == "sending"
    ]
    heights = [[float(point.split(",")[1]) for point in ramp.split()][1:3] for ramp in ramps]
    assert heights[0][0] > heights[0][1] == heights[1][0] > heights[1][1] == heights[2][0] > heights[2][1]


def test_a_prediction_is_a_ghost_and_its_distance_a_length():
    state = states.every_mark()
    ghost = root(state).find(".//*[@data-guess='c1']")
    halo, dotted = ghost.iter(f"{SVG}line")
    assert dotted.get("stroke-dasharray") and halo.get("x2") == dotted.get("x2")
    assert "400 ms off" in [node.text for node in ghost.iter(f"{SVG}text")]
    assert "predict" in ghost.find(f"{SVG}title").text
    state["guesses"] = [{"lane": "c2", "t": 1.0, "label": "your prediction"}]  # its client has not ended
    assert "your prediction" in [
        node.text for node in root(state).find(".//*[@data-guess]").iter(f"{SVG}text")
    ]


def spans_of(tree):
    """All texts of a picture's lanes: [(words, left, right, y)]."""
    return [each for each in placed(tree) if each[3] < float(tree.get("height")) - 60]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.14, 0.2, 0.3, 0.5, 0.75, 0.9, 1.0, 1.2])
@pytest.mark.parametrize("client", ["c1", "c3", "c5", "c7", "p4711"])
def test_the_words_of_a_prediction_lie_over_no_others(client, share):
    """Bars with pids, errors, calls that a process sleeps in: wherever the guess lies."""
    state = states.blocking()
    state["lanes"][4]["end"] = {"state": "reset", "t": 2.6, "note": "ECONNRESET"}
    state["processes"][0]["end"] = {"state": "gone", "t": 2.8, "note": ""}
    state["guesses"] = [{"lane": client, "t": 3.0 * share, "label": "your prediction"}]
    found = spans_of(root(state))
    (said,) = [each for each in found if each[0].endswith(" off")]
    for words, left, right, y in found:
        if abs(y - said[3]) < 11 and words != said[0]:
            assert right <= said[1] + 1 or left >= said[2] - 1, (words, said)


def test_a_pid_under_a_prediction_is_left_to_the_tooltip():
    state = states.blocking()
    assert "4711" in "".join(lane(root(state), "c3").itertext())
    for t, there in ((0.45, False), (0.1, False), (2.9, True)):
        state["guesses"] = [{"lane": "c3", "t": t, "label": "your prediction"}]
        written = [node.text for node in lane(root(state), "c3").iter(f"{SVG}text")]
        assert ("4711" in written) is there, t


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ((), []),
        (("processes",), []),
        (("lanes",), ["Clients"]),
        (("lanes", "processes"), ["Clients", "Server"]),
        (("queue",), ["Accept queue"]),
        (("queue", "processes"), ["Accept queue", "Server"]),
        (("lanes", "queue", "processes"), ["Clients", "Accept queue", "Server"]),
    ],
)
def test_a_section_is_there_when_there_is_something_in_it(given, named):
    whole = states.blocking()
    state = {key: whole[key] for key in ("title", "sentence", "now", "end", "running", "recorded", *given)}

    def heads(state):
        return [node.text for node in root(state).iter(f"{SVG}text") if node.get("class") == "head"]

    assert heads(state) == named
    assert ("accept queue" in text(state)) is ("queue" in given)
    assert heads(state | {"running": True}) == ["Clients", "Accept queue", "Server"]


# --- the queue ---
def test_the_queue_is_told_with_its_peak_and_limit():
    state = states.blocking()
    line = root(state).find(".//*[@data-peak]")
    assert (line.get("data-peak"), line.get("data-limit")) == ("4", "1024")
    assert "peak 4 of 1,024" in drawing(state)
    assert "limit 1,024" not in drawing(state)


def test_the_limit_is_drawn_when_the_queue_comes_near():
    state = states.blocking()
    state["queue"]["limit"] = 3
    assert "limit 3" in drawing(state)


def test_a_queue_without_a_known_limit():
    state = states.blocking()
    state["queue"]["limit"] = None
    assert "peak 4<" in drawing(state)
    assert "accept queue: at most 4\n" in text(state)


def test_length_is_what_the_last_sample_saw():
    queue = {"limit": 9, "steps": [[0.1, 0], [0.5, 4], [2.0, 0]]}
    assert [model.length(queue, t) for t in (0.0, 0.1, 0.5, 1.9, 2.0, 9)] == [0, 0, 4, 4, 0, 0]


# --- crowds ---
def test_a_crowd_is_counted_and_its_failures_keep_a_lane():
    state = states.crowd(1000)
    tree = root(state)
    assert tree.find(".//*[@data-band='failed']").get("data-peak") == "11"
    assert len([g for g in tree.iter(f"{SVG}g") if g.get("data-kind") == "client"]) == 12
    failed = {each["id"] for each in state["lanes"] if each["end"]["state"] == "reset"}
    assert failed <= {each["id"] for each in model.shown(state)}
    assert "1,000 clients" in drawing(state)


def test_bands_that_the_story_counted_are_drawn_as_they_are():
    state = states.crowd(70)
    state["bands"] = [[0.0, {"connecting": 5}], [1.0, {"idle": 4000, "refused": 7, "reset": 3}]]
    state["clients"] = 4010
    found = model.counts(state, [0.5, 2.0])
    assert found["connecting"] == [5, 0] and found["idle"] == [0, 4000] and found["failed"] == [0, 10]
    assert "4,010 clients" in drawing(state) and "4,010 clients" in text(state)


def test_the_last_stretch_of_the_bands_shows_how_it_ended():
    """The last step lies a little after the end; while a run goes on, nothing is shown before its time."""
    state = states.crowd(70) | {"now": 2.0, "end": 2.0, "clients": 70}
    state["bands"] = [[0.0, {"idle": 70}], [1.95, {"idle": 66, "done": 4}], [2.05, {"done": 60, "reset": 10}]]
    assert model.counts(state, [1.96, 2.0])["done"] == [4, 60]
    assert "10 failed" in text(state)
    tree = root(state)
    peaks = {g.get("data-band"): g.get("data-peak") for g in tree.iter(f"{SVG}g") if g.get("data-band")}
    assert peaks == {"idle": "70", "done": "60", "failed": "10"}
    state["running"] = True
    assert model.counts(state, [1.96, 2.0])["done"] == [4, 4]


def test_counts_add_up_to_the_clients_that_exist():
    state = states.crowd(300)
    moments = [0.05, 0.5, 2.0, 4.0, 5.99]
    found = model.counts(state, moments)
    for i, t in enumerate(moments):
        existing = sum(each["spans"][0]["from"] <= t for each in state["lanes"])
        assert sum(row[i] for row in found.values()) == existing
