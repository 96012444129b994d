"""The diff and the map in a real notebook: what is drawn is what was computed; keys, folds, links, width."""

import json

import pytest

pytestmark = pytest.mark.browser

DIFF = """
from evolution import lab
view = lab.diff("poll_loop", "epoll_loop")
view
"""
MAP = """
from evolution.course.overview import Map
Map()
"""
LINES = """all => all.map(cell => [cell.previousSibling.textContent.replace(/\\D/g, ''), cell.textContent])"""


def lines(state, which, kinds):
    """Lines of one side as [number, text], in the order of the picture, of rows of these kinds in sight."""
    return [
        [str(row[which]["n"]), "".join(piece[1] for piece in row[which]["pieces"]) or " "]
        for part in state["parts"]
        for segment in part["segments"]
        if not segment["fold"]
        for row in segment["rows"]
        if row[which] and row["kind"] in kinds
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_diff(jupyter, open_notebook, theme, tmp_path):
    desk = open_notebook(jupyter.write(f"diff-{theme}.ipynb", DIFF), theme=theme)
    desk.run_all()
    root = desk.page.locator(".evo-diff")
    root.locator("table").wait_for()
    state = desk.ask("view.scene")
    assert root.locator(".evo-sentence").text_content() == desk.ask("view.text().splitlines()[0]")
    for which, side, kind in (("old", "gone", "gone"), ("new", "new", "new")):
        drawn = root.locator(f"tbody:not([hidden]) td.evo-line[data-side={side}]").evaluate_all(LINES)
        assert drawn == lines(state, which, {"changed", kind})
    marked = [
        "".join(piece[1] for piece in row["new"]["pieces"] if piece[2])
        for part in state["parts"]
        for segment in part["segments"]
        for row in segment["rows"]
        if row["kind"] == "changed"
    ]
    words = "all => all.map(line => [...line.querySelectorAll('ins')].map(word => word.textContent).join(''))"
    assert root.locator("tr[data-kind=changed] td.evo-line[data-side=new]").evaluate_all(words) == marked
    desk.picture(f"diff-{theme}", ".evo-diff")

    folds = sum(segment["fold"] for part in state["parts"] for segment in part["segments"])
    bars = root.locator(".evo-fold")
    assert bars.count() == folds and root.locator("tbody[hidden]").count() == folds
    bars.first.focus()
    bars.first.press("Enter")
    assert (
        bars.first.get_attribute("aria-expanded") == "true"
        and root.locator("tbody[hidden]").count() == folds - 1
    )
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("a")
    assert root.locator("tbody[hidden]").count() == 0
    changes = int(root.get_attribute("data-changes"))
    for number in (1, 2):
        stage.press("n")
        assert root.get_attribute("data-chosen") == str(number)
        assert f"Change {number} of {changes}" in root.locator(".evo-spoken").text_content()
    stage.press("p")
    assert root.get_attribute("data-chosen") == "1" and root.locator("tr[data-chosen]").count() > 0
    root.locator(".evo-outline .evo-key", has_text="heed").click()
    assert root.locator("tbody[data-part=heed] td.evo-line", has_text="def heed").is_visible()
    assert desk.violations(".evo-diff") == []
    for name, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        with desk.page.expect_download() as saved:
            root.locator(f".evo-{name}\\:").click()
        assert saved.value.suggested_filename == f"poll-loop-epoll-loop.{name}"
        saved.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)


def test_the_diff_where_there_is_little_room(jupyter, open_notebook):
    desk = open_notebook(jupyter.write("diff-narrow.ipynb", DIFF), viewport=(760, 900))
    desk.run_all()
    root = desk.page.locator(".evo-diff")
    root.locator("table").wait_for()
    assert root.get_attribute("data-wide") is None
    box = root.bounding_box()
    assert root.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), box
    kinds = root.locator("tbody:not([hidden]) td.evo-line[data-side]").evaluate_all(
        "all => all.map(c => c.dataset.side)"
    )
    assert {"gone", "new"} <= set(kinds)
    desk.picture("diff-narrow", ".evo-diff")


@pytest.mark.parametrize(("theme", "interface"), [("light", "lab"), ("dark", "lab"), ("light", "notebook")])
def test_the_map(jupyter, open_notebook, theme, interface):
    name = f"map-{theme}-{interface}.ipynb"
    desk = open_notebook(jupyter.write(name, MAP), theme=theme, interface=interface)
    if interface == "lab":
        desk.run_all()
    else:
        desk.run_cell(0, 1)
    root = desk.page.locator(".evo-map")
    root.wait_for()
    told = desk.ask("__import__('evolution.course.overview', fromlist=['x']).Map().state")["chapters"]
    stops = root.locator("[data-chapter]").evaluate_all(
        "all => all.map(s => [+s.dataset.chapter, s.dataset.state])"
    )
    assert [number for number, _ in stops] == [chapter["number"] for chapter in told]
    assert [state != "to-come" for _, state in stops] == [chapter["ready"] for chapter in told]
    models = root.locator("[data-model]").evaluate_all("all => all.map(m => m.dataset.model)")
    assert models == [model["name"] for chapter in told for model in chapter["models"]]
    dots = root.locator("summary [data-exercise]").evaluate_all("all => all.map(d => d.dataset.exercise)")
    assert dots == [each["name"] for chapter in told for each in chapter["exercises"]]
    summary = root.locator("summary").first
    summary.focus()
    summary.press("Enter")
    assert root.locator("details[open] li").first.is_visible()
    desk.picture(f"map-{theme}-{interface}", ".evo-map")
    assert desk.violations(".evo-map") == []
    link = root.locator("a[href*='01_blocking']")
    link.focus()
    if interface == "lab":  # a link opens the chapter beside this one, without loading the page anew
        desk.page.evaluate("window.here = true")
        link.press("Enter")
        desk.page.locator(".lm-TabBar-tab", has_text="01_blocking.ipynb").first.wait_for()
        assert desk.page.evaluate("window.here") is True
    else:
        link.press("Enter")
        desk.page.wait_for_url("**/notebooks/01_blocking.ipynb**")


def test_the_diff_in_notebook_7(jupyter, open_notebook):
    texts = [
        ["half a step", "while True:\n    ready = spin(1)\n"],
        ["mine", "while True:\n    ready = wait(1)\n"],
    ]
    cell = f"from evolution import lab\nview = lab.diff(*map(tuple, {json.dumps(texts)}))\nview"
    desk = open_notebook(jupyter.write("diff-7.ipynb", cell), interface="notebook")
    desk.run_cell(0, 1)
    root = desk.page.locator(".evo-diff")
    root.locator("table").wait_for()
    drawn = root.locator("tr[data-kind=changed] td.evo-line").evaluate_all(LINES)
    assert drawn == [["2", "    ready = spin(1)"], ["2", "    ready = wait(1)"]]
    assert root.locator("ins").text_content() == "wait"
    desk.picture("diff-notebook-7", ".evo-diff")
