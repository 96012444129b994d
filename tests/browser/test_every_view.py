"""Every view in both interfaces, JupyterLab and Notebook 7: shown, compared with its record, and in the hand.

One page for each interface. What is special to a view is in a module of its own beside this one; panels are
in test_panel.py and test_measured_views.py.
"""

import pytest
from browsing import Desk
from serving import eventually
from test_measured_views import CELLS

from evolution import views

pytestmark = pytest.mark.browser

SHOW = """
from IPython.display import display
from evolution import lab, views
from evolution.course.overview import Map
make = {"Diff": lambda: lab.diff("poll_loop", "epoll_loop"), "Map": Map}
shown = {name: make.get(name, getattr(views, name))() for name in views.__all__}
display(*shown.values())
"""


@pytest.fixture(scope="module", params=["lab", "notebook"])
def page(jupyter, browser, request):
    """All views in one notebook, each with its recorded state."""
    interface = request.param
    desk = Desk(jupyter, browser, jupyter.write(f"every-{interface}.ipynb", SHOW), interface=interface)
    desk.run_cell(0, 1)
    yield desk
    desk.close()


@pytest.fixture
def desk(page):
    """The page, which says nothing wrong and asks nobody foreign while a view is tried."""
    yield page
    assert page.errors == [] and page.foreign == []


def moment(root):
    """Where the head of a player is; None at the end, where all is shown."""
    shown = root.get_attribute("data-head")
    return shown and float(shown)


def played(root):
    """Step, scrub and play a view on a time axis, and come back to its end."""
    stage, scrub = root.locator(".evo-stage"), root.locator(".evo-scrub")
    stage.focus()
    stage.press("Home")
    assert moment(root) == 0
    stage.press("ArrowRight")
    first = moment(root)
    assert first > 0
    scrub.evaluate("node => { node.value = 600; node.dispatchEvent(new Event('input')); }")
    eventually(lambda: moment(root) > first, "the moment that was scrubbed to")
    stage.press("Home")
    root.locator(".evo-play").click()
    eventually(lambda: moment(root) is None or moment(root) > 0, "a head on its way")
    stage.press("End")
    assert moment(root) is None and root.get_attribute("data-playing") is None


def timeline(desk, root):
    state = desk.ask("shown['Timeline'].state")
    for lane in [*state["lanes"], *state["processes"]]:
        drawn = root.locator(f"[data-lane={lane['id']}] [data-state]")
        told = [[span["state"], span["from"]] for span in lane["spans"]]
        assert drawn.evaluate_all("all => all.map(m => [m.dataset.state, +m.dataset.from])") == told
    assert root.locator("[data-peak]").get_attribute("data-peak") == str(
        max(n for _, n in state["queue"]["steps"])
    )
    played(root)
    root.locator(".evo-key").first.hover()
    assert root.get_attribute("data-lit") is not None
    return state["sentence"]


def syscalls(desk, root):
    state = desk.ask("shown['SysCalls'].state")
    drawn = root.locator("[data-lane] [data-kind=wait]")
    waits = [[s["word"], s["from"]] for lane in state["lanes"] for s in lane["spans"] if s["kind"] == "wait"]
    assert drawn.evaluate_all("all => all.map(m => [m.dataset.word, +m.dataset.from])") == waits
    played(root)
    root.locator(".evo-one").click()
    eventually(lambda: root.get_attribute("data-zoomed") is not None, "one request")
    root.locator("[data-filter=waiting]").click()
    assert root.get_attribute("data-filter") == "waiting"
    return state["sentence"]


def xray(desk, root):
    scene = desk.ask("shown['XRay'].scene")
    told = sorted([line["kind"], line["from"], line["to"]] for line in scene["lines"])
    drawn = root.locator("[data-line]")
    facts = "all => all.map(l => [l.dataset.line, l.dataset.from, l.dataset.to])"
    eventually(lambda: sorted(drawn.evaluate_all(facts)) == told, f"lines {told}")
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("ArrowDown")
    assert root.locator("[data-row][data-chosen]").count() == 1
    stage.press("s")
    eventually(lambda: "/proc/" in root.locator(".evo-drawing").text_content(), "where the facts were read")
    return scene["sentence"]


def diff(desk, root):
    scene = desk.ask("shown['Diff'].scene")
    rows = [
        row for part in scene["parts"] for segment in part["segments"] for row in segment["rows"]
        if row["kind"] == "changed"
    ]  # fmt: skip
    told = ["".join(piece[1] for piece in row["new"]["pieces"]) for row in rows]
    changed = root.locator("tr[data-kind=changed] td.evo-line[data-side=new]")
    assert changed.evaluate_all("all => all.map(cell => cell.textContent)") == told
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("n")
    assert root.get_attribute("data-chosen") == "1" and root.locator("tr[data-chosen]").count()
    return desk.ask("shown['Diff'].text().splitlines()[0]")


def scaling(desk, root):
    state = desk.ask("shown['Scaling'].state")
    told = [[p["kind"], p["n"], p["us"]] for p in state["points"] if not p["error"]]
    drawn = root.locator("[data-point]")
    assert drawn.evaluate_all("all => all.map(m => [m.dataset.point, +m.dataset.n, +m.dataset.us])") == told
    drawn.first.hover()
    assert f"{told[0][0]}, {told[0][1]} idle" in root.locator(".evo-tip").inner_text()
    return "Recorded: " + state["sentence"]


def survival(desk, root):
    state = desk.ask("shown['Survival'].state")
    told = {f"{cell['model']} {cell['card']}": [cell["verdict"], cell["figure"]] for cell in state["cells"]}
    assert root.locator("[data-verdict]").evaluate_all(CELLS) == told
    spoken(root)
    return "Recorded: " + state["sentence"]


def race(desk, root):
    state = desk.ask("shown['Race'].state")
    told = {
        f"{key}-{row['name']}": cell["said"] for row in state["rows"] for key, cell in row["cells"].items()
    }
    said = "all => Object.fromEntries(all.map(m => [m.dataset.cell, m.dataset.said]))"
    assert root.locator("[data-cell]").evaluate_all(said) == told
    spoken(root)
    return "Recorded: " + state["sentence"]


def spoken(root):
    """Go to the first mark of a figure with the keyboard; it is read aloud."""
    stage = root.locator(".evo-stage")
    stage.focus()
    stage.press("Home")
    eventually(lambda: root.locator(".evo-spoken").text_content(), "the mark in words")


def steps(desk, root):
    state = desk.ask("shown['Steps'].state")
    assert root.get_attribute("data-frames") == str(len(state["frames"]))
    root.get_by_label("On: one step on").click()
    assert root.get_attribute("data-frame") == "1"
    scrub = root.get_by_label("Step shown")
    scrub.focus()
    scrub.press("ArrowRight")
    assert root.get_attribute("data-frame") == "2"
    return f"Recorded: Step 3 of {len(state['frames'])}. {state['frames'][2]['words']}"


def map_(desk, root):
    chapters = desk.ask("shown['Map'].state")["chapters"]
    facts = "all => all.map(stop => [+stop.dataset.chapter, stop.querySelector('a')?.getAttribute('href')])"
    told = [[chapter["number"], chapter["notebook"]] for chapter in chapters]
    assert root.locator("[data-chapter]").evaluate_all(facts) == told
    fold = root.locator("summary").first
    fold.focus()
    fold.press("Enter")
    assert root.locator("details[open] li").first.is_visible()
    return desk.ask("shown['Map'].text().splitlines()[0]")


DRIVE = {
    "Diff": diff,
    "Map": map_,
    "Race": race,
    "Scaling": scaling,
    "Steps": steps,
    "Survival": survival,
    "SysCalls": syscalls,
    "Timeline": timeline,
    "XRay": xray,
}


def test_every_view_is_driven():
    assert sorted(DRIVE) == sorted(views.__all__)


@pytest.mark.parametrize("name", DRIVE)
def test_in_both_interfaces(desk, name):
    root = desk.page.locator(f".evo-{name.lower()}")
    root.locator(".evo-sentence").wait_for()
    sentence = DRIVE[name](desk, root)
    eventually(lambda: root.locator(".evo-sentence").text_content() == sentence, sentence)
    desk.picture(f"every-{desk.interface}-{name.lower()}", f".evo-{name.lower()}")
