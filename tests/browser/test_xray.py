"""The X-ray in a real notebook: rows, lines, keys, and where each fact was read."""

import pytest
from serving import eventually

pytestmark = pytest.mark.browser

SHOW = """
from evolution import lab
from evolution.lab import moves
server = lab.start("epoll_loop")
one = lab.call(server)
while not lab.xray(server).state["connections"][0]["accepted"]: pass
view = lab.xray(server)
view
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rows_lines_and_keys(jupyter, open_notebook, theme):
    desk = open_notebook(jupyter.write(f"xray-{theme}.ipynb", SHOW), theme=theme)
    desk.run_all()
    root = desk.page.locator(".evo-xray")
    root.locator("[data-row]").first.wait_for()
    state = desk.ask("view.state")
    (process,) = state["processes"]
    text = root.text_content()
    assert str(process["pid"]) in text and "epoll_wait" in text
    drawn = root.locator("[data-line]").evaluate_all("all => all.map(l => l.dataset.line)")
    assert {"listener", "client", "epoll"} <= set(drawn)
    assert root.locator(".evo-sentence").text_content() == desk.ask("view.text().splitlines()[0]")
    desk.picture(f"xray-{theme}", ".evo-xray")
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("ArrowDown")
    assert root.locator("[data-row][data-chosen]").count() == 1
    assert str(process["pid"]) in root.locator(".evo-spoken").text_content()
    stage.press("s")
    eventually(lambda: "/proc/" in root.locator(".evo-drawing").text_content(), "where the facts were read")
