"""A panel in a real notebook: sliders, Run, Stop; what is drawn agrees with what the lab has recorded."""

import pytest
from browsing import FAILED
from serving import eventually

pytestmark = pytest.mark.browser

SETUP = """
from evolution import blocking, lab
server = lab.start(blocking)
"""
PANEL = """
panel = lab.panel(server, [("silent", 1, {"for": 0.6}), ("polite", 4)], seconds=3)
panel
"""
LONG = """
panel = lab.panel(server, [("silent", 1, {"for": 60}), ("polite", 2)], seconds=60)
panel
"""
DRAWN = """() => [...document.querySelectorAll('.evo-timeline [data-lane][data-kind=client]')].map(lane => ({
    id: lane.dataset.lane,
    spans: [...lane.querySelectorAll('[data-state]')].map(mark => mark.dataset.state),
    end: lane.querySelector('[data-end]')?.dataset.end ?? null,
}))"""


WATCH = """() => {
    const panel = document.querySelector('.evolution-panel'), seen = window.seen = new Set();
    new MutationObserver(() => {
        if (panel.querySelector('.evolution-run').disabled) seen.add('locked');
        if (panel.querySelector('.evo-xray')?.textContent.includes('recv')) seen.add('recv');
    }).observe(panel, { subtree: true, childList: true, attributes: true, characterData: true });
}"""


@pytest.fixture
def panel(jupyter, open_notebook, request):
    """A desk with a panel on it."""

    def open_panel(theme="light", interface="lab", cell=PANEL, more=()):
        name = jupyter.write(f"{request.node.originalname}-{theme}.ipynb", SETUP, cell, *more)
        desk = open_notebook(name, theme=theme, interface=interface)
        for index in (0, 1):
            desk.run_cell(index, index + 1)
        desk.page.wait_for_selector(".evolution-panel .evo-timeline")
        return desk

    return open_panel


def nudge(desk, card, key="ArrowRight"):
    """Move a slider by one, as a learner without a mouse does; return the number that it had."""
    before = desk.ask(f"panel.clients[{card!r}].value")
    desk.page.locator(f".evolution-slider-{card} .noUi-handle").press(key)
    return before


def run(desk):
    """Click Run. What passes too quickly for a busy machine's eyes is kept in window.seen."""
    desk.page.evaluate(WATCH)
    desk.page.locator("button.evolution-run").click()
    await_seen(desk, "locked")


def await_seen(desk, what):
    desk.page.wait_for_function("what => window.seen.has(what)", arg=what)


def await_end(desk):
    desk.page.wait_for_selector("button.evolution-run:not(:disabled)")


def recorded(desk):
    """The lab's own record, in the words of the picture."""
    lanes = desk.ask("panel.experiment.story.as_dict()['lanes']")
    return [
        {
            "id": lane["id"],
            "spans": [span["state"] for span in lane["spans"]],
            "end": lane["end"] and lane["end"]["state"],
        }
        for lane in lanes
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_drawn_is_what_was_recorded(panel, theme):
    desk = panel(theme)
    before = nudge(desk, "polite")
    eventually(lambda: desk.ask("panel.clients['polite'].value") == before + 1, "the slider's number")
    desk.picture(f"panel-{theme}-0-before", ".evolution-panel")
    desk.page.locator(".evolution-fold", has_text="X-ray").click()
    desk.page.wait_for_selector(".evo-xray :text('accept')")
    run(desk)
    await_seen(desk, "recv")
    desk.picture(f"panel-{theme}-1-running", ".evolution-panel")
    await_end(desk)
    told = recorded(desk)
    assert len(told) == 1 + before + 1
    eventually(lambda: desk.page.evaluate(DRAWN) == told, f"a picture of {told}")
    assert "queued" in told[-1]["spans"]
    assert {lane["end"] for lane in told[1:]} == {"done"}
    sentence = desk.page.locator(".evo-timeline .evo-sentence").text_content()
    assert sentence == desk.ask("panel.experiment.story.as_dict()['sentence']")
    desk.page.wait_for_selector(".evo-xray :text('accept')")
    desk.picture(f"panel-{theme}-2-after", ".evolution-panel")


def test_stop_keeps_the_picture_and_a_dead_server_is_named(panel):
    desk = panel(cell=LONG)
    run(desk)
    desk.page.wait_for_selector(".evo-timeline [data-lane=c3] [data-state=queued]")
    bar = desk.page.locator(".evolution-progress .progress-bar")
    eventually(lambda: bar.bounding_box()["width"] > 0 < bar.bounding_box()["height"], "progress")
    player = desk.page.locator(".evo-timeline .evo-transport button, .evo-timeline .evo-scrub")
    assert player.count() == 4 and all(each.is_disabled() for each in player.all())  # it has no end yet
    desk.page.locator("button.evolution-stop").click()
    await_end(desk)
    eventually(lambda: all(each.is_enabled() for each in player.all()), "a player for the finished run")
    assert desk.ask("panel.experiment.running") is False
    told = recorded(desk)
    eventually(lambda: desk.page.evaluate(DRAWN) == told, f"a picture of {told}")
    assert [lane["spans"][-1] for lane in told][1:] == ["queued", "queued"]
    assert desk.ask("server.stop()") == 0
    desk.page.locator("button.evolution-run").click()
    desk.page.locator(".evolution-said", has_text="Start it again").wait_for()
    await_end(desk)
    desk.picture("panel-dead", ".evolution-panel")


def test_an_interrupt_stops_the_cell_and_neither_server_nor_experiment(panel):
    desk = panel(more=["import time\nprint('busy')\ntime.sleep(600)"])
    run(desk)
    desk.run_cell(2)
    desk.page.locator(".jp-OutputArea-output", has_text="busy").wait_for()
    await_end(desk)  # the panel is live while the cell is busy
    desk.menu("Kernel", "Interrupt Kernel")
    desk.page.locator(FAILED, has_text="KeyboardInterrupt").wait_for()
    assert desk.ask("[server.alive, len(server.tree())]") == [True, 1]
    told = recorded(desk)
    assert {lane["end"] for lane in told[1:]} == {"done"}
    eventually(lambda: desk.page.evaluate(DRAWN) == told, f"a picture of {told}")


def test_a_reload_brings_the_picture_back(panel):
    desk = panel()
    run(desk)
    await_end(desk)
    told = recorded(desk)
    desk.save()
    desk.page.reload()
    desk.page.wait_for_selector(".evolution-panel .evo-timeline")
    eventually(lambda: desk.page.evaluate(DRAWN) == told, f"a picture of {told}")
    run(desk)  # and it is alive
    await_end(desk)


def test_notebook_7_shows_it_as_well(panel):
    desk = panel(interface="notebook")
    run(desk)
    await_end(desk)
    told = recorded(desk)
    eventually(lambda: desk.page.evaluate(DRAWN) == told, f"a picture of {told}")
    desk.picture("panel-notebook-7")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_before_and_after_a_run(panel, theme):
    desk = panel(theme)
    desk.page.wait_for_selector(".evolution-panel [role=slider]")
    assert desk.violations(".evolution-panel") == []
    for fold in ("More clients", "X-ray"):
        desk.page.locator(".evolution-fold", has_text=fold).click()
    desk.page.wait_for_selector(".evo-xray [data-row]")
    run(desk)
    await_end(desk)
    desk.page.wait_for_selector(".evo-timeline:not([data-recorded]) [data-end=done]")
    assert desk.violations(".evolution-panel") == []
    named = desk.page.locator(".evolution-panel [role=slider]").evaluate_all(
        "all => all.map(one => one.ariaLabel)"
    )
    assert named and all(named) and len(set(named)) == len(named)
