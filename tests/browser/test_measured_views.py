"""Scaling, survival grid, race in a notebook: what is shown is what was measured; pointer, keys, saving."""

import xml.etree.ElementTree as ET

import pytest
from browsing import OUT
from serving import eventually

pytestmark = pytest.mark.browser

COST = """
from evolution import lab
found = lab.cost(idle=(10, 100, 1500), guess={"poll": {100: 2.0}})
found
"""
GRID = """
panel = lab.survival(models=["blocking", "epoll_loop"], cards=["silent", "pipelining"], seconds=1.0)
panel
"""
RECORDED = """
import ipywidgets
from IPython.display import display
from evolution.views import Race, Scaling, Survival
race = Race()
display(Scaling(), Survival(), race)
"""
NARROW = """
display(*[ipywidgets.Box([view()], layout={"width": "362px"}) for view in (Scaling, Survival, Race)])
"""
CELLS = """all => Object.fromEntries(all.map(cell => [cell.dataset.model + ' ' + cell.dataset.card,
    [cell.dataset.verdict, cell.dataset.figure]]))"""

WHERE = pytest.mark.parametrize(
    ("theme", "interface"),
    [
        pytest.param("light", "lab", id="light"),
        pytest.param("dark", "lab", id="dark"),
        pytest.param("light", "notebook", id="notebook"),
    ],
)


@WHERE
def test_the_cost_of_one_wait(jupyter, open_notebook, theme, interface, tmp_path):
    name = jupyter.write(f"cost-{theme}-{interface}.ipynb", COST)
    desk = open_notebook(name, theme=theme, interface=interface)
    desk.run_all()
    root = desk.page.locator(".evo-scaling")
    root.locator("[data-point]").first.wait_for(state="attached")
    points = desk.ask("[[p.kind, p.n, p.us] for p in found.points if not p.error]")
    drawn = "all => all.map(m => [m.dataset.point, +m.dataset.n, +m.dataset.us])"
    assert root.locator("[data-point]").evaluate_all(drawn) == points
    assert root.locator(".evo-sentence").text_content() == desk.ask("found.sentence")
    assert root.locator("[data-guess]").count() == 1
    root.locator("[data-point=poll][data-n='100']").hover()
    told = root.locator(".evo-tip").inner_text()
    assert "poll, 100 idle descriptors" in told and "µs for one call" in told and "1 found ready" in told
    if desk.ask("found.edge is not None and not found.left_out"):
        root.locator("[data-edge]").hover()
        assert "out of range" in root.locator(".evo-tip code").inner_text()
    desk.picture(f"scaling-{theme}-{interface}", ".evo-scaling")
    root.locator("[data-lights='kind.epoll']").hover()
    lit = root.locator(".evo-mark.evo-lit").evaluate_all("all => all.map(m => m.dataset.key)")
    assert set(lit) == {"kind.epoll"}
    with desk.page.expect_download() as saved:
        root.locator(".evo-svg\\:").click()
    saved.value.save_as(tmp_path / "svg")
    assert "var(" not in (tmp_path / "svg").read_text()
    assert " ".join(ET.parse(tmp_path / "svg").getroot().itertext()).endswith(desk.ask("found.sentence"))


def test_keys_go_from_mark_to_mark(jupyter, open_notebook):
    desk = open_notebook(jupyter.write("keys.ipynb", RECORDED, "40 + 2"))
    desk.run_all()
    stage = desk.page.locator(".evo-survival .evo-stage")
    root = desk.page.locator(".evo-survival")
    stage.focus()
    stage.press("Home")
    spoken = root.locator(".evo-spoken")
    assert spoken.text_content().startswith("blocking, silent: nobody served for 2 s")
    stage.press("ArrowRight")
    assert spoken.text_content().startswith("blocking, dripping: ")
    stage.press("ArrowDown")
    assert spoken.text_content().startswith("fork, dripping: ")
    assert root.locator(".evo-ring").get_attribute("display") is None
    active = ".jp-Notebook .jp-Cell.jp-mod-active"
    for key in ("d", "d", "0", "0", "Enter"):
        stage.press(key)
    assert desk.page.locator(".jp-Dialog").count() == 0 and desk.page.locator(".jp-CodeCell").count() == 2
    assert desk.page.locator(active).count() == 1
    stage.press("Escape")
    assert root.locator(".evo-ring").get_attribute("display") == "none"


@WHERE
def test_the_grid_fills_and_a_click_replays(jupyter, open_notebook, theme, interface):
    name = jupyter.write(f"grid-{theme}-{interface}.ipynb", "from evolution import lab", GRID)
    desk = open_notebook(name, theme=theme, interface=interface)
    desk.run_all()
    root, page = desk.page.locator(".evo-survival"), desk.page
    assert root.locator(".evo-chip").text_content() == "recorded"
    page.locator("button.evolution-run").click()
    page.wait_for_selector(".evo-survival[data-running]")
    page.wait_for_selector("button.evolution-run:not(:disabled)")
    told = {
        f"{cell['model']} {cell['card']}": [cell["verdict"], cell["figure"]]
        for cell in desk.ask("panel.result.as_dict()['cells']")
    }
    assert told["blocking silent"] == ["nobody", "1 s"] and len(told) == 4
    eventually(lambda: root.locator("[data-verdict]").evaluate_all(CELLS) == told, f"a grid of {told}")
    assert root.locator(".evo-sentence").text_content() == desk.ask("panel.result.sentence")
    assert not root.locator(".evo-chip").is_visible()
    root.locator("[data-model=blocking][data-card=silent]").click()
    timeline = page.locator(".evo-timeline")
    timeline.locator("[data-lane=c1] [data-state]").first.wait_for(state="attached")
    assert timeline.locator(".evo-title").text_content() == "blocking: silent"
    assert timeline.locator(".evo-sentence").text_content() == desk.ask("panel.timeline.state['sentence']")
    desk.picture(f"survival-replay-{theme}-{interface}", ".evolution-panel")


def test_stop_keeps_what_there_is(jupyter, open_notebook):
    long = GRID.replace('["silent", "pipelining"], seconds=1.0', '["silent", "dripping", "idle"], seconds=10')
    desk = open_notebook(jupyter.write("stopped.ipynb", "from evolution import lab", long))
    desk.run_all()
    desk.page.locator("button.evolution-run").click()
    desk.page.wait_for_selector(".evo-survival [data-underway]", state="attached")
    desk.page.locator("button.evolution-stop").click()
    desk.page.wait_for_selector("button.evolution-run:not(:disabled)")
    assert desk.ask("[panel.result.running, len(panel.result.cells)]") == [False, 0]
    eventually(lambda: desk.page.locator(".evo-survival [data-underway]").count() == 0, "nothing underway")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_recorded_runs_at_two_widths(jupyter, open_notebook, theme):
    desk = open_notebook(jupyter.write(f"recorded-{theme}.ipynb", RECORDED, NARROW), theme=theme)
    desk.run_all()
    state = desk.ask("race.state")
    root = desk.page.locator(".evo-race").first
    root.locator("[data-bar]").first.wait_for(state="attached")
    told = {
        f"{name}-{row['name']}": cell["said"] for row in state["rows"] for name, cell in row["cells"].items()
    }
    said = "all => Object.fromEntries(all.map(m => [m.dataset.cell, m.dataset.said]))"
    assert root.locator("[data-cell]").evaluate_all(said) == told
    assert root.locator(".evo-sentence").text_content() == "Recorded: " + state["sentence"]
    for name, wide, narrow in (("scaling", 720, 320), ("survival", 720, 320), ("race", 720, 320)):
        both = desk.page.locator(f".evo-{name}")
        assert both.nth(0).get_attribute("data-width") == str(wide)
        assert both.nth(1).get_attribute("data-width") == str(narrow)
        for index, size in ((0, "wide"), (1, "narrow")):
            both.nth(index).scroll_into_view_if_needed()
            both.nth(index).screenshot(path=OUT / f"{name}-recorded-{size}-{theme}.png")


def test_a_race_that_goes_on(jupyter, open_notebook):
    desk = open_notebook(jupyter.write("race.ipynb", RECORDED))
    desk.run_all()
    row = "[dict(row, cells={'cpu': row['cells']['cpu']}) for row in race.state['rows']]"
    now = "{'running': True, 'recorded': False, 'underway': {'name': 'nginx', 'columns': ['alone']}}"
    desk.ask(f"setattr(race, 'state', race.state | {now} | {{'rows': {row}}})")
    root = desk.page.locator(".evo-race")
    eventually(lambda: root.locator("[data-underway]").count() == 1, "the one that is measured")
    assert root.locator(".evo-chip").text_content() == "running"
    drawn = root.locator("[data-bar]").evaluate_all("all => all.map(m => m.dataset.bar)")
    assert drawn == [f"cpu-{row['name']}" for row in desk.ask("race.state['rows']")]
