"""The timeline in a real notebook: its marks, its keys, its legend, and a crowd of a thousand."""

import json
import sys

import pytest
from browsing import ROOT
from serving import eventually

sys.path.append(str(ROOT / "tests" / "views"))
import view_states

pytestmark = pytest.mark.browser

SHOW = """
import json
from IPython.display import display
from evolution.views import Timeline
display(*[Timeline(state) for state in json.load(open("states.json"))])
"""
CROWD = """
from evolution import epoll_loop, lab
server = lab.start(epoll_loop)
panel = lab.panel(server, [("idle", 1000, {"for": 1.0}), ("polite", 3)], seconds=4)
panel
"""


def moment(root):
    """Where the head of the player is, None at the end."""
    shown = root.get_attribute("data-head")
    return shown and float(shown)


def test_marks_legend_and_keys(jupyter, open_notebook):
    marked, played = states = view_states.every_mark(), view_states.blocking()
    (jupyter.files / "states.json").write_text(json.dumps(states))
    desk = open_notebook(jupyter.write("timeline.ipynb", SHOW))
    desk.run_all()
    root = desk.page.locator(".evo-timeline").nth(0)
    root.locator(".evo-mark").first.wait_for(state="attached")
    for lane in [*marked["lanes"], *marked["processes"]]:
        drawn = root.locator(f"[data-lane={lane['id']}] [data-state]")
        told = [[span["state"], span["from"]] for span in lane["spans"]]
        assert drawn.evaluate_all("all => all.map(m => [m.dataset.state, +m.dataset.from])") == told
    assert root.locator(".evo-sentence").text_content() == marked["sentence"]
    root.locator(".evo-key[data-key='client.queued']").hover()
    lit = root.locator(".evo-mark.evo-lit").evaluate_all("all => all.map(m => m.dataset.key)")
    assert set(lit) == {"client.queued"}
    desk.picture("timeline-every-mark", ".evo-timeline")

    root = desk.page.locator(".evo-timeline").nth(1)
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("Home")
    assert moment(root) == 0
    steps = []
    for _ in range(5):
        stage.press("ArrowRight")
        steps.append(moment(root))
    assert steps == sorted(steps) and steps[-1] > 0
    stage.press("ArrowLeft")
    assert moment(root) == steps[-2]
    stage.press("ArrowDown")
    assert root.locator(".evo-spoken").text_content().startswith(played["lanes"][0]["label"])
    stage.press("End")
    assert moment(root) is None
    stage.press("+")
    eventually(lambda: root.get_attribute("data-zoomed") is not None, "a zoom")
    stage.press("0")
    eventually(lambda: root.get_attribute("data-zoomed") is None, "the whole of it")


def test_a_crowd_is_drawn_in_bands(jupyter, open_notebook):
    desk = open_notebook(jupyter.write("crowd.ipynb", CROWD), theme="dark")
    desk.run_all()
    desk.page.locator("button.evolution-run").click()
    eventually(lambda: desk.ask("panel.experiment is not None and not panel.experiment.running"), "an end")
    root = desk.page.locator(".evo-timeline")
    state = desk.ask("panel.timeline.state")
    counted = [counts for _, counts in state["bands"]]  # the last one, too: how it ended
    told = {name: max(counts.get(name, 0) for counts in counted) for name in ("idle", "done")}
    assert told["idle"] > 500
    peaks = "all => Object.fromEntries(all.map(b => [b.dataset.band, +b.dataset.peak]))"
    bands = root.locator("[data-band]")
    eventually(lambda: bands.evaluate_all(peaks).items() >= told.items(), f"bands of {told}")
    assert "1,003 clients" in root.text_content()
    desk.picture("timeline-crowd", ".evolution-panel")
