"""Chapter 5 in JupyterLab: cells, a small survival grid and its replay, and what Run All leaves alone."""

import json

import pytest
from serving import eventually

pytestmark = pytest.mark.browser

NAME = "05_race.ipynb"
SMALL = 'lab.survival(models=["blocking", "epoll_loop"], cards=["silent", "pipelining"], seconds=1.0)'


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_grid_of_chapter_five_is_run_and_replayed(jupyter, open_notebook, theme):
    """The chapter's own cells, with a grid of four runs instead of its 72."""
    document = json.loads((jupyter.files / NAME).read_text())
    [grid] = [cell for cell in document["cells"] if "grid = lab.survival()" in "".join(cell["source"])]
    grid["source"] = [line.replace("lab.survival()", SMALL) for line in grid["source"]]
    path = f"race-{theme}.ipynb"
    (jupyter.files / path).write_text(json.dumps(document))
    desk = open_notebook(path, theme=theme)
    desk.run_all(seconds=100)
    page = desk.page
    race, survival = page.locator(".evo-race"), page.locator(".evo-survival")
    assert race.locator(".evo-chip").text_content() == "recorded"
    desk.picture(f"chapter5-race-{theme}", ".evo-race")
    panel = page.locator(".evolution-panel", has=survival)
    panel.scroll_into_view_if_needed()
    assert survival.locator(".evo-chip").text_content() == "recorded"
    panel.locator("button.evolution-run").click()
    panel.locator("button.evolution-run:disabled").wait_for()
    panel.locator("button.evolution-run:not(:disabled)").wait_for()
    verdicts = {("blocking", "silent"): "nobody", ("epoll_loop", "silent"): "served"}
    for (model, card), verdict in verdicts.items():
        cell = survival.locator(f"[data-model={model}][data-card={card}][data-verdict={verdict}]")
        eventually(lambda cell=cell: cell.count() == 1, f"{model} beside {card}: {verdict}")
    survival.locator("[data-model=epoll_loop][data-card=silent]").click()
    timeline = panel.locator(".evo-timeline")
    timeline.locator("[data-lane=c1] [data-state]").first.wait_for(state="attached")
    assert timeline.locator(".evo-title").text_content() == "epoll_loop: silent"
    assert timeline.locator(".evo-sentence").text_content() == desk.ask("grid.timeline.state['sentence']")
    page.mouse.move(2, 2)  # the tip is not part of the picture
    desk.picture(f"chapter5-grid-{theme}", ".evolution-panel:has(.evo-survival)")
    outputs = [output for cell in desk.save()["cells"] for output in cell.get("outputs", ())]
    assert [output for output in outputs if output["output_type"] == "error"] == []


def test_a_suspect_is_probed_and_named_at_the_desk(jupyter, open_notebook):
    cell = """
from evolution.course.mystery import mystery
from evolution.course.suspects import desk
case = mystery(seed=7)
desk(case)
"""
    desk = open_notebook(jupyter.write("desk.ipynb", cell), theme="dark")
    desk.run_all()
    root = desk.page.locator(".evolution-desk")
    root.get_by_label("probe").fill("silent 1; processes; threads; sleeps")
    root.locator("button.evolution-observe").click()
    tick = root.locator(".evolution-observation input")
    tick.wait_for()
    seen = desk.ask("case.observations[0].seen")
    assert seen == "1 process; 1 thread; asleep in poll"
    assert seen in root.locator(".evolution-observation").text_content()
    tick.check()
    root.get_by_label("it is").select_option("poll_loop")
    root.locator("button.evolution-accuse").click()
    told = root.locator(".evolution-said", has_text="only this one shows what you observed")
    told.wait_for()
    assert tick.is_checked() and desk.ask("case.solved") == 1
    desk.picture("chapter5-desk", ".evolution-desk")
    desk.ask("case.close()")
