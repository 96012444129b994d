"""The timeline's twins and increments: which marks stand for which state, and that every form says the same."""

import copy
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import view_states as states

from evolution.views import Timeline, base, legend, marks, recorded
from evolution.views import timeline_state as model
from evolution.views.timeline import merge
from evolution.views.timeline_svg import drawing
from evolution.views.timeline_text import text

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = ("blocking", "prefork", "select", "reactor", "every_mark", "crowd")


@pytest.fixture(params=SHAPES)
def state(request):
    return getattr(states, request.param)()


def root(state, theme="light"):
    return ET.fromstring(drawing(state, theme))


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


# --- words ---
def test_the_sentence_is_the_first_line_and_in_the_picture(state):
    assert text(state).splitlines()[0] == state["sentence"]
    tree = root(state)
    assert tree.find(f"{SVG}desc").text == state["sentence"]
    said = " ".join(node.text for node in tree.iter(f"{SVG}text") if node.get("class") == "said")
    assert said == state["sentence"]


def test_the_text_twin_draws_the_same_order(state):
    lines = text(state).splitlines()
    labels = [each["label"][:16] for each in (*model.shown(state), *state["processes"])]
    rows = [line for line in lines if line[:16].strip() in labels]
    assert [line[:16].strip() for line in rows] == labels


def test_the_text_twin_tells_the_models_apart():
    row = {name: text(getattr(states, name)()).splitlines() for name in ("blocking", "select")}
    assert "≡" not in row["blocking"][-1] and "- asleep for one" in row["blocking"][-1]
    assert "≡ asleep for many" in row["select"][-1]


def test_the_legend_names_what_is_drawn_and_nothing_else(state):
    present = {node.get("data-key") for node in root(state).iter() if node.get("data-key")}
    named = set(model.keys(state))
    assert named <= present | {"ends.reset"}  # a crowd's failures are one band
    assert present - named <= {"client.queued", "ends.failed"}


@pytest.mark.parametrize(
    ("end", "words"),
    [(0.05, "10 ms"), (0.5, "100 ms"), (2.0, "0.5 s"), (3.0, "0.5 s"), (30, "5 s")],
)
def test_ticks_are_round(end, words):
    assert model.ticks(end, 7)[1][1] == words
    assert all(t <= end * 1.0001 for t, _ in model.ticks(end, 7))


def test_times_have_two_significant_digits():
    shown = [marks.time(t) for t in (0, 0.00078, 0.0123, 0.523, 0.9996, 1.984, 15.4, -0.4)]
    assert shown == ["0 s", "0.8 ms", "12 ms", "520 ms", "1.0 s", "2.0 s", "15 s", "−400 ms"]


def test_sizes_are_binary():
    assert [marks.size(n) for n in (512, 1536, 20 * 2**20)] == ["512 B", "1.5 KiB", "20 MiB"]


# --- legibility ---
def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme):
    """WCAG 2.2: text 4.5:1 (1.4.3), marks 3:1 (1.4.11), on the page and on the pale bars."""
    colour = {name: pair[theme] for name, pair in marks.PALETTE.items()}
    pages = [colour["page"], ("#FFFFFF", "#212121")[theme]]  # JupyterLab's layout-color0 and -color1
    for name in marks.TEXTS:
        assert min(contrast(colour[name], page) for page in pages) >= 4.5, name
    for name in marks.MARKS:
        assert min(contrast(colour[name], page) for page in [*pages, colour["pale"]]) >= 3, name
    for name in ("served", "sending", "fail"):
        assert contrast(colour["onmark"], colour[name]) >= 4.5, name
    assert contrast(colour["ink"], colour["pale"]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_written_under_11_px(state, theme):
    sizes = re.findall(r"(?:font-size:|font:)(\d+)px", drawing(state, theme))
    assert sizes and min(map(int, sizes)) >= 11 and "font-size=" not in drawing(state, theme)
    assert marks.LAYOUT["text"] >= 11


def placed(node, x=0.0, y=0.0):
    """Yield (text, left, right, y) of all texts, with the shifts of the groups around them."""
    if shift := re.match(r"translate\((-?[\d.]+),(-?[\d.]+)\)", node.get("transform", "")):
        x, y = x + float(shift[1]), y + float(shift[2])
    if node.tag == f"{SVG}text":
        wide, at = 6.2 * len(node.text), x + float(node.get("x"))
        left = at - wide * {"end": 1, "middle": 0.5}.get(node.get("text-anchor"), 0)
        yield node.text, left, left + wide, y + float(node.get("y"))
    for child in node:
        yield from placed(child, x, y)


def test_nothing_lies_outside_the_picture(state):
    tree = root(state)
    height = tree.get("height")
    assert tree.get("viewBox") == f"-8 0 736 {height}"
    for words, left, right, y in placed(tree):
        assert -8 <= left < right <= 728 + 8 or len(words) > 80, words  # a sentence is set narrower
        assert 0 < y < float(height), words


def test_a_style_sheet_means_its_own_picture_only():
    """nbconvert puts all pictures into one page."""
    for picture in (drawing(states.blocking()), legend.picture()):
        rules = re.search(r"<style>(.*?)</style>", picture)[1].split("}")[:-1]
        assert all(rule.startswith((".evo-twin ", ".evo-legend-twin ")) for rule in rules)


def test_the_legend_in_the_documentation_is_fresh():
    """python -m evolution.views.legend > docs/img/legend.svg"""
    picture = legend.picture()
    assert (Path(__file__).parents[2] / "docs" / "img" / "legend.svg").read_text(encoding="utf-8") == picture
    for table in (marks.CLIENT, marks.ENDS, marks.SLEEPS):
        for word, meaning, *_ in table.values():
            assert f">{word}<" in picture and f">{meaning}<" in picture


def test_a_theme_that_does_not_exist():
    with pytest.raises(ValueError, match="expected theme 'light' or 'dark', not 'blue'"):
        drawing(states.blocking(), "blue")


def test_words_from_outside_cannot_break_the_picture():
    state = states.blocking()
    state["title"] = state["sentence"] = state["lanes"][0]["label"] = "</text><script>&\"'"
    state["lanes"][0]["end"] = {"state": "reset", "t": 0.2, "note": "<b>"}
    tree = root(state)
    assert tree.find(f".//{SVG}script") is None
    assert tree.find(f"{SVG}title").text == "</text><script>&\"'"


# --- increments ---
def story(state, t):
    """The state as it was at `t`."""
    past = copy.deepcopy(state) | {"now": t, "running": True, "end": None}
    for table in ("lanes", "processes"):
        for each in past[table]:
            each["spans"] = [
                s if s["to"] is None or s["to"] <= t else s | {"to": None}
                for s in each["spans"]
                if s["from"] <= t
            ]
            each["end"] = each["end"] if each["end"] and each["end"]["t"] <= t else None
        past[table] = [each for each in past[table] if each["spans"]]
    past["queue"]["steps"] = [step for step in past["queue"]["steps"] if step[0] <= t]
    return past


def change(before, after):
    """The increment that leads from one state to the next."""
    update = {"kind": "timeline"} | {
        key: after[key] for key in ("now", "end", "running", "sentence", "guesses")
    }
    for table in ("lanes", "processes"):
        known, update[table] = {each["id"]: each for each in before[table]}, []
        for each in after[table]:
            old = known.get(each["id"], {"spans": []})
            keep = next((i for i, s in enumerate(old["spans"]) if s != each["spans"][i]), len(old["spans"]))
            if old != each:
                update[table].append(each | {"keep": keep, "spans": each["spans"][keep:]})
    keep = len(before["queue"]["steps"])
    update["queue"] = {
        "limit": after["queue"]["limit"],
        "keep": keep,
        "steps": after["queue"]["steps"][keep:],
    }
    return update


def test_increments_lead_to_the_whole_state(state):
    live = story(state, 0.0)
    for t in (state["now"] * i / 17 for i in range(1, 17)):
        merge(live, change(live, story(state, t)))
        assert live == story(state, t)
    merge(live, change(live, state))
    assert live == state


def test_an_increment_is_left_as_it_was():
    state = states.blocking()
    early, late = story(state, 0.5), story(state, 1.0)
    update = change(early, late)
    kept = json.dumps(update)
    merge(early, update)
    merge(early, {"lanes": [{"id": "c1", "keep": 0, "spans": []}]})
    assert json.dumps(update) == kept


def test_an_increment_after_a_missing_one_is_refused():
    with pytest.raises(ValueError, match="expected an increment that builds on 3 spans, not on 9"):
        merge(states.blocking(), {"lanes": [{"id": "c1", "keep": 9, "spans": []}]})


def test_bands_grow_by_increments():
    live = states.blocking()
    merge(live, {"bands": {"keep": 0, "steps": [[0, {"idle": 1}], [1, {"idle": 2}]]}, "clients": 2})
    merge(live, {"bands": {"keep": 1, "steps": [[1, {"idle": 3}]]}, "clients": 3})
    assert live["bands"] == [[0, {"idle": 1}], [1, {"idle": 3}]] and live["clients"] == 3


# --- the widget, without a kernel ---
@pytest.fixture
def watched(monkeypatch):
    """A view of a run at 0.5 s, the messages that it sends, and the moments to come."""
    moments = [story(states.blocking(), t) for t in (0.5, 1.0, 1.5)]
    view, sent = Timeline(moments[0]), []
    monkeypatch.setattr(view, "send", sent.append)
    return view, sent, moments


def test_push_sends_an_increment_and_the_trait_follows_rarely(watched, monkeypatch):
    view, sent, (early, late, last) = watched
    monkeypatch.setattr(base, "EVERY", float("inf"))
    first, second = change(early, late), change(late, last)
    view.push(first)
    view.flush()
    view.push(second)
    view.push({"kind": "xray", "state": {}})
    view.push({"kind": "progress", "value": 0.5, "running": True})
    assert sent == [first, second] and view.state == late
    assert view.text() == text(last) and view.svg() == drawing(last)
    view.push({"kind": "progress", "value": 1.0, "running": False})
    assert view.state == last


def test_a_second_run_begins_anew(watched):
    view, _, (early, _, last) = watched
    view.push(change(early, last))
    view.begin(early)
    assert view.state == early and view.text() == text(early)


def test_a_reloaded_page_gets_the_whole(watched):
    view, sent, (early, late, _) = watched
    view.push(change(early, late))
    view._handle_custom_msg({"kind": "snapshot please"}, [])
    assert sent[1:] == [{"kind": "snapshot", "state": late}]


def test_an_empty_view_shows_a_recorded_run_and_says_so():
    view = Timeline()
    assert view.state == recorded.timeline() and view.state["recorded"] is True
    assert view.text().startswith("Recorded: ")
    assert "Recorded: " in view.svg()


def test_every_form_of_output():
    view = Timeline(states.blocking())
    data, _ = view._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert data["image/svg+xml"] == view.svg() and data["text/plain"] == view.text()


def test_the_module_is_whole():
    """anywidget loads one entry: nothing is imported, nothing comes from elsewhere."""
    code = str(Timeline._esm)
    assert code.count("export default ") == 1 and not re.search(r"^\s*import\b|import\(", code, re.M)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", code + str(Timeline._css))
    assert "--evo-served:#0072B2" in str(Timeline._css)


# --- the recorded runs ---
@pytest.mark.parametrize("name", ["blocking", "prefork", "select_loop", "reactor"])
def test_the_recorded_runs_are_whole_and_their_twins_fresh(name):
    """python -m evolution.lab.record makes them, python -m evolution.views.recorded draws them."""
    state, xray = recorded.timeline(name), recorded.xray(name)
    assert state["recorded"] and xray["recorded"] and not state["running"]
    assert state["title"].startswith(name) and xray["server"]["model"] == name
    assert [each["label"] for each in state["lanes"]] == ["silent 1", *(f"polite {n}" for n in range(1, 6))]
    assert {each["end"]["state"] for each in state["lanes"]} == {"done"}
    twins = dict(recorded.twins())
    folder = Path(__file__).parents[2] / "notebooks" / "img"
    for view in ("timeline", "xray"):
        file = f"{view}-{name}.svg"
        assert (folder / file).read_text(encoding="utf-8") == twins[file] + "\n"


def test_a_model_without_a_recorded_run_gets_the_first():
    assert recorded.timeline("threads") is recorded.timeline() and recorded.xray("threads") is recorded.xray()
