"""The X-ray's forms: the same facts in the SVG, in the text and in the widget, and of a real server."""

import copy
import json
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from serving import eventually
from xray_states import BLOCKED, EPOLL, IDLE, PREFORK, STATES, lines, rows

from evolution import lab
from evolution.views import XRay, marks
from evolution.views.xray_scene import scene
from evolution.views.xray_svg import MEASURES
from evolution.views.xray_words import sentence

SVG = "{http://www.w3.org/2000/svg}"


# --- the twins ---
@pytest.mark.parametrize("name", STATES)
def test_the_svg_is_well_formed_with_all_rows_lines_and_the_sentence(name):
    state = STATES[name]
    tree = ET.fromstring(XRay(state).svg())
    assert tree.find(f"{SVG}desc").text == sentence(state)
    assert {node.get("data-row") for node in tree.iter() if node.get("data-row")} == set(rows(state))
    drawn = {(node.get("data-from"), node.get("data-to")) for node in tree.iter() if node.get("data-line")}
    assert drawn == lines(state)


@pytest.mark.parametrize("name", STATES)
def test_nothing_in_the_svg_leaves_the_page_or_is_written_small(name):
    text = XRay(STATES[name]).svg()
    assert min(int(size) for size in re.findall(r"font(?:-size)?:(\d+)px", text)) >= marks.LAYOUT["text"]
    box = [float(number) for number in ET.fromstring(text).get("viewBox").split()]
    for node in ET.fromstring(text).iter(f"{SVG}rect"):
        left = float(node.get("x"))
        assert box[0] <= left and left + float(node.get("width")) <= box[0] + box[2] + 0.5


def test_names_are_escaped():
    state = copy.deepcopy(BLOCKED)
    state["clients"][0]["label"] = "<b>&"
    assert "<b>&" in [node.text for node in ET.fromstring(XRay(state).svg()).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", STATES)
def test_a_line_runs_from_the_height_of_its_first_row_to_that_of_its_second(name):
    tree = ET.fromstring(XRay(STATES[name]).svg())
    heights = {
        node.get("data-row"): float(re.search(r",([\d.]+)\)", node.get("transform")).group(1))
        for node in tree.iter()
        if node.get("data-row")
    }
    for node in tree.iter():
        if node.get("data-line"):
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", node.get("d"))]
            assert len(numbers) == 8
            assert numbers[1] == pytest.approx(heights[node.get("data-from")], abs=0.1)
            assert numbers[-1] == pytest.approx(heights[node.get("data-to")], abs=0.1)
            assert (numbers[0] < numbers[-2]) == (node.get("data-line") != "tcp")


def test_rows_do_not_overlap_in_the_svg():
    middles = {}
    for node in ET.fromstring(XRay(PREFORK).svg()).iter():
        if node.get("data-row"):
            y = float(re.search(r",([\d.]+)\)", node.get("transform")).group(1))
            middles[node.get("data-row")] = (y, MEASURES["rows"][node.get("data-kind")])
    for column in scene(PREFORK)["columns"]:
        inside = [middles[row["key"]] for block in column["blocks"] for row in block["rows"]]
        for (y0, h0), (y1, h1) in pairwise(inside):
            assert y1 - y0 >= (h0 + h1) / 2


def test_the_text_twin_starts_with_the_sentence_and_names_the_descriptors():
    said = XRay(BLOCKED).text().splitlines()
    assert said[0] == sentence(BLOCKED)
    assert "    fd 4 connection 5000  recv" in said
    assert "    5 of 4,096 wait" in said


# --- the widget ---
def messages(view):
    sent = []
    view.send = lambda content, buffers=None: sent.append(content)
    return sent


def test_the_bundle_offers_widget_picture_and_words():
    data, _ = XRay(BLOCKED)._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["image/svg+xml"].startswith("<svg")
    assert data["text/plain"].splitlines()[0] == sentence(BLOCKED)


def test_a_push_is_told_once_and_an_equal_one_not_at_all():
    view = XRay(IDLE)
    sent = messages(view)
    view.push({"kind": "xray", "state": BLOCKED})
    view.push({"kind": "xray", "state": copy.deepcopy(BLOCKED)})
    view.push({"kind": "timeline"})
    assert [message["scene"]["sentence"] for message in sent] == [sentence(BLOCKED)]
    assert view.text().startswith(sentence(BLOCKED))


def test_the_synced_state_rests_between_samples_and_is_right_at_the_end(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("evolution.views.xray.time.monotonic", lambda: now[0])
    view = XRay()
    messages(view)
    view.push({"kind": "xray", "state": IDLE})
    assert view.state == IDLE
    view.push({"kind": "xray", "state": BLOCKED})
    assert view.state == IDLE
    view.push({"kind": "progress", "value": 1.0, "running": False})
    assert view.state == BLOCKED and view.scene == scene(BLOCKED)
    now[0] += 1
    view.push({"kind": "xray", "state": PREFORK})
    assert view.state == PREFORK


def test_what_the_browser_gets_is_json_and_one_module():
    view = XRay(EPOLL)
    json.dumps([view.state, view.scene, view.language], allow_nan=False)
    assert view.language["xray"]["rows"].keys() >= {row["kind"] for row in rows(EPOLL).values()}
    assert "import " not in re.sub(r"//.*", "", str(view._esm))
    assert str(view._esm).count("export default") == 1


def test_setting_the_state_draws_it():
    view = XRay()
    view.state = BLOCKED
    assert view.scene["sentence"] == sentence(BLOCKED)


# --- a real one ---
def test_a_real_server_asleep_in_accept():
    with lab.start("blocking") as server:

        def asleep():
            state = lab.procfs.snapshot(server.pid, server.address.port)
            threads = state["processes"][0]["threads"]
            return state if threads and threads[0]["call"] == "accept(3)" else None

        view = XRay(eventually(asleep, "the server sleeps in accept"))
    assert re.match(r"One process, asleep in accept\(3\); 0 of [\d,]+ wait in the queue;", view.text())
    (line,) = [line for line in view.scene["lines"] if line["kind"] == "listener"]
    assert line["from"] == f"fd:{server.pid}:3"
