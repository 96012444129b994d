"""The race with its buttons, in JupyterLab and in Notebook 7: run whole, stopped in the middle, what is shown
compared with the record."""

import pytest
from serving import eventually

pytestmark = pytest.mark.browser

RACE = """
from evolution import lab
panel = lab.race(models=["blocking", "epoll_loop"], seconds=0.2, others=False)
panel
"""
SAID = "all => Object.fromEntries(all.map(m => [m.dataset.cell, m.dataset.said]))"
IN_SECONDS = 90_000
"""Milliseconds for a small race: it measures crowds of up to 10,000 connections."""


@pytest.mark.parametrize("interface", ["lab", "notebook"])
def test_the_race_is_run_and_stopped(jupyter, open_notebook, interface):
    desk = open_notebook(jupyter.write(f"race-run-{interface}.ipynb", RACE), interface=interface)
    desk.run_all()
    page, root = desk.page, desk.page.locator(".evo-race")
    assert root.locator(".evo-chip").text_content() == "recorded"
    page.locator("button.evolution-run").click()
    page.locator("button.evolution-run:disabled").wait_for()
    page.locator("button.evolution-run:not(:disabled)").wait_for(timeout=IN_SECONDS)
    state = desk.ask("panel.result.as_dict()")
    told = {
        f"{key}-{row['name']}": cell["said"] for row in state["rows"] for key, cell in row["cells"].items()
    }
    assert {row["name"] for row in state["rows"]} == {"blocking", "epoll_loop"}
    assert all(row["cells"].keys() == state["rows"][0]["cells"].keys() for row in state["rows"])
    eventually(lambda: root.locator("[data-cell]").evaluate_all(SAID) == told, f"a race of {told}")
    assert root.locator(".evo-sentence").text_content() == desk.ask("panel.result.sentence")
    assert not root.locator(".evo-chip").is_visible()
    desk.picture(f"race-run-{interface}", ".evolution-panel")

    page.locator("button.evolution-run").click()
    root.locator("[data-underway]").first.wait_for(state="attached")
    page.locator("button.evolution-stop").click()
    page.locator("button.evolution-run:not(:disabled)").wait_for()
    assert desk.ask("panel.result.running") is False
    eventually(lambda: root.locator("[data-underway]").count() == 0, "nothing underway")
    kept = desk.ask("panel.result.as_dict()['rows']")
    told = {f"{key}-{row['name']}": cell["said"] for row in kept for key, cell in row["cells"].items()}
    eventually(lambda: root.locator("[data-cell]").evaluate_all(SAID) == told, f"what was measured: {told}")
