"""The system calls in a real notebook: live, true to the lab's own record, and in the hand."""

import os
import xml.etree.ElementTree as ET

import pytest
from serving import eventually

from evolution.lab import trace

REFUSAL = "" if os.environ.get("EVOLUTION_REQUIRE_TOOLS") == "1" else trace.refusal()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(REFUSAL), reason=REFUSAL or "strace works"),
]

LIVE = """
from evolution import lab
server = lab.start("prefork", workers=2, trace=True)
view = lab.calls(server)
view
"""
ASK = "answers = [lab.ask(server).status for _ in range(3)]"
STOP = "server.stop()"
EMPTY = """
from evolution import lab
lab.calls()
"""
DRAWN = """all => all.map(m => [m.dataset.word, +m.dataset.from])"""
WAITS = "[[s['word'], s['from']] for x in view.state['lanes'] for s in x['spans'] if s['kind'] == 'wait']"
COUNTED = "all => all.map(c => [c.dataset.count, +c.dataset.n])"


def drawn(root):
    """[word, from] of the waits in the picture; nothing is drawn in their place."""
    return root.locator("[data-lane] [data-kind=wait]").evaluate_all(DRAWN)


@pytest.mark.parametrize(
    ("theme", "interface"),
    [
        pytest.param("light", "lab", id="light"),
        pytest.param("dark", "lab", id="dark"),
        pytest.param("light", "notebook", id="notebook"),
    ],
)
def test_live_and_true(jupyter, open_notebook, theme, interface):
    name = jupyter.write(f"calls-{theme}-{interface}.ipynb", LIVE, ASK, STOP)
    desk = open_notebook(name, theme=theme, interface=interface)
    desk.run_cell(0, 1)
    root = desk.page.locator(".evo-syscalls")
    root.locator("[data-lane]").nth(2).wait_for(state="attached")
    assert root.get_attribute("data-running") is not None
    desk.run_cell(1, 2)
    sends = root.locator("[data-count=send]")
    eventually(lambda: sends.count() and sends.get_attribute("data-n") == "3", "three answers, live")
    assert desk.ask("server.alive")
    desk.run_cell(2, 3)
    eventually(lambda: root.get_attribute("data-running") is None, "the end of the trace")
    told = desk.ask("lab.calls(server).state")
    assert desk.ask("view.state") == told
    eventually(lambda: len(drawn(root)) == len(desk.ask(WAITS)), "every wait")
    assert drawn(root) == desk.ask(WAITS)
    assert root.locator(".evo-sentence").text_content() == told["sentence"]
    counted = root.locator("[data-count]").evaluate_all(COUNTED)
    assert counted == [[row["word"], row["n"]] for row in told["counts"]["rows"]]
    assert root.locator("[data-birth]").count() == 2
    desk.picture(f"syscalls-{theme}-{interface}", ".evo-syscalls")
    assert desk.violations(".evo-syscalls") == []


@pytest.fixture
def recorded(jupyter, open_notebook):
    def recorded(model="reactor", viewport=(1280, 1400), theme="light"):
        source = f"from evolution import lab\nserver = lab.start({model!r})\nview = lab.calls(server)\nview"
        desk = open_notebook(jupyter.write("recorded.ipynb", source), viewport=viewport, theme=theme)
        desk.run_all()
        desk.page.locator(".evo-syscalls [data-lane]").first.wait_for(state="attached")
        return desk, desk.page.locator(".evo-syscalls"), desk.ask("view.state")

    return recorded


def test_filters_keys_and_the_kernels_own_words(recorded):
    desk, root, state = recorded("fork")
    assert root.get_attribute("data-recorded") is not None
    assert "This is a recorded run" in root.locator(".evo-why").text_content()
    kinds = "all => [...new Set(all.map(m => m.dataset.kind))].sort()"
    marks = root.locator("[data-lane] [data-kind]")
    assert {"signal", "wait", "work"} <= set(marks.evaluate_all(kinds))
    root.locator("[data-filter=waiting]").click()
    eventually(lambda: marks.evaluate_all(kinds) == ["wait"], "only what waits")
    root.locator("[data-filter=processes]").click()
    words = "all => [...new Set(all.map(m => m.dataset.word))]"
    eventually(lambda: "accept4" not in marks.evaluate_all(words), "no sockets")
    assert {"fork", "SIGCHLD"} <= set(marks.evaluate_all(words))
    desk.picture("syscalls-processes", ".evo-syscalls")
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("f")
    eventually(lambda: root.get_attribute("data-filter") is None, "all of them again")

    bar = root.locator("[data-word=recv][data-kind=wait]").first
    bar.hover(force=True)
    told = root.locator(".evo-tip").inner_text()
    assert "asleep" in told and "recvfrom(4, " in told
    desk.picture("syscalls-tooltip", ".evo-syscalls")

    starts = sorted({span["from"] for lane in state["lanes"] for span in lane["spans"]})
    stage.press("Home")
    for n in range(1, 4):
        stage.press("ArrowRight")
        assert float(root.get_attribute("data-head")) == starts[n]
    stage.press("ArrowLeft")
    assert float(root.get_attribute("data-head")) == starts[2]
    stage.press("ArrowDown")
    assert root.locator(".evo-spoken").text_content().startswith(state["lanes"][0]["label"])
    stage.press("+")
    eventually(lambda: root.get_attribute("data-zoomed") is not None, "a zoom")
    stage.press("0")
    eventually(lambda: root.get_attribute("data-zoomed") is None, "the whole of it")
    stage.press(" ")
    eventually(lambda: root.get_attribute("data-playing") is not None, "playing")
    stage.press(" ")
    assert root.get_attribute("data-playing") is None
    stage.press("End")
    assert root.get_attribute("data-head") is None


def test_one_request_from_near_and_its_picture_saved(recorded, tmp_path):
    desk, root, state = recorded("epoll_loop")
    stage, page = root.locator(".evo-stage"), desk.page
    box = root.locator("[data-lane]").first.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 8, steps=4)
    page.mouse.up()
    eventually(lambda: root.get_attribute("data-zoomed") is not None, "a zoom by drag")
    stage.press("0")
    # The calls of one request are microseconds long: step to its answer and look at it from near.
    spans = state["lanes"][0]["spans"]
    answer = next(i for i, span in enumerate(spans) if span["word"] == "send")
    stage.press("Home")
    for _ in range(answer):
        stage.press("ArrowRight")
    assert float(root.get_attribute("data-head")) == spans[answer]["from"]
    root.locator(".evo-one").click()
    root.locator("[data-word=send]").wait_for()
    assert root.locator("[data-word=recv]").count() == 1 and not root.locator("[data-many]").count()
    assert root.get_attribute("data-head") is None
    sends = sorted(span["from"] for span in spans if span["word"] == "send")
    shown = [float(root.locator("[data-word=send]").get_attribute("data-from"))]
    for _ in sends:
        root.locator(".evo-one").click()
        page.evaluate("new Promise(requestAnimationFrame)")
        shown.append(float(root.locator("[data-word=send]").get_attribute("data-from")))
    assert shown == [*sends, sends[0]]
    desk.picture("syscalls-one-request", ".evo-syscalls")
    stage.press("End")
    stage.press("0")
    eventually(lambda: root.get_attribute("data-zoomed") is None, "the whole of it")
    for name, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        with page.expect_download() as saved:
            root.locator(f".evo-{name}\\:").click()
        saved.value.save_as(tmp_path / name)
        assert saved.value.suggested_filename.startswith("epoll-loop-one-silent")
        assert (tmp_path / name).read_bytes().startswith(start)
    words = " ".join(ET.parse(tmp_path / "svg").getroot().itertext())
    assert words.endswith(state["sentence"]) and "epoll_wait(4) → 1" in words


def test_a_narrow_page_and_an_empty_view(jupyter, open_notebook, recorded):
    desk, root, _ = recorded("reactor", viewport=(480, 1400), theme="dark")
    desk.page.locator(".jp-SideBar .lm-mod-current").first.click()  # fold the side bar away
    root.scroll_into_view_if_needed()
    width = "node => [node.scrollWidth, node.clientWidth]"
    scroll, client = eventually(lambda: root.evaluate(width), "a width")
    assert scroll <= client
    desk.picture("syscalls-narrow", ".evo-syscalls")
    desk = open_notebook(jupyter.write("empty.ipynb", EMPTY))
    desk.run_all()
    root = desk.page.locator(".evo-syscalls")
    eventually(lambda: root.get_attribute("data-recorded") is not None, "a recorded run")
    assert root.locator(".evo-chip").text_content() == "recorded"
    desk.picture("syscalls-recorded", ".evo-syscalls")
