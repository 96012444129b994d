"""The timeline in a real notebook: its marks, its keys, its legend, and a crowd of a thousand."""

import json
import sys

import pytest
from browsing import ROOT
from serving import eventually

sys.path.append(str(ROOT / "tests" / "views"))
import view_states  # noqa: E402

pytestmark = pytest.mark.browser

SHOW = """
import json
from evolution.views import Timeline
view = Timeline(json.load(open({!r})))
view
"""
CROWD = """
from evolution import epoll_loop, lab
server = lab.start(epoll_loop)
panel = lab.panel(server, [("idle", 1000, {"for": 1.0}), ("polite", 3)], seconds=4)
panel
"""


@pytest.fixture
def timeline(jupyter, open_notebook):
    """A desk with the timeline of one state."""

    def show(state, **options):
        (jupyter.files / "state.json").write_text(json.dumps(state))
        desk = open_notebook(jupyter.write("timeline.ipynb", SHOW.format("state.json")), **options)
        desk.run_all()
        desk.page.wait_for_selector(".evo-timeline .evo-mark")
        return desk

    return show


def moment(desk):
    """Where the head of the player is, None at the end."""
    shown = desk.page.locator(".evo-timeline").get_attribute("data-head")
    return shown and float(shown)


def test_marks_keys_and_legend(timeline):
    state = view_states.every_mark()
    desk = timeline(state)
    root = desk.page.locator(".evo-timeline")
    for lane in [*state["lanes"], *state["processes"]]:
        drawn = root.locator(f"[data-lane={lane['id']}] [data-state]")
        told = [(span["state"], span["from"]) for span in lane["spans"]]
        assert told == drawn.evaluate_all("all => all.map(m => [m.dataset.state, +m.dataset.from])") or [
            list(each) for each in told
        ] == drawn.evaluate_all("all => all.map(m => [m.dataset.state, +m.dataset.from])")
    assert root.locator(".evo-sentence").text_content() == state["sentence"]
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("Home")
    assert moment(desk) == 0
    stage.press("ArrowRight")
    first = moment(desk)
    assert first > 0
    stage.press("ArrowLeft")
    assert moment(desk) == 0
    stage.press("ArrowDown")
    spoken = root.locator(".evo-spoken").text_content()
    assert spoken.startswith(state["lanes"][0]["label"])
    stage.press("End")
    assert moment(desk) is None
    stage.press("+")
    eventually(lambda: root.get_attribute("data-zoomed") is not None, "a zoom")
    stage.press("0")
    eventually(lambda: root.get_attribute("data-zoomed") is None, "the whole of it")
    key = root.locator(".evo-key[data-key='client.queued']")
    key.hover()
    lit = root.locator(".evo-mark.evo-lit")
    assert set(lit.evaluate_all("all => all.map(m => m.dataset.key)")) == {"client.queued"}
    desk.picture("timeline-every-mark", ".evo-timeline")


def test_a_crowd_is_drawn_in_bands(jupyter, open_notebook):
    desk = open_notebook(jupyter.write("crowd.ipynb", CROWD), theme="dark")
    desk.run_all()
    desk.page.locator("button.evolution-run").click()
    desk.page.wait_for_selector("button.evolution-run:disabled")
    desk.page.wait_for_selector("button.evolution-run:not(:disabled)")
    counts = desk.ask("dict(panel.experiment.story.counts)")
    assert sum(counts.values()) == 1003
    root = desk.page.locator(".evo-timeline")
    root.locator("[data-band]").first.wait_for()
    peaks = root.locator("[data-band]").evaluate_all("all => all.map(b => [b.dataset.band, +b.dataset.peak])")
    assert dict(peaks).get("closed", 0) + dict(peaks).get("done", 0) >= 1000
    assert "1,003 clients" in root.text_content()
    desk.picture("timeline-crowd", ".evolution-panel")
