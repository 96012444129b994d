"""The timeline in the hand: pointer, keys that JupyterLab wants as well, saving, and what axe-core says."""

import json
import sys
import xml.etree.ElementTree as ET

import pytest
from browsing import ROOT
from serving import eventually

sys.path.append(str(ROOT / "tests" / "views"))
import view_states

pytestmark = pytest.mark.browser

SHOW = """
import json
from evolution.views import Timeline
view = Timeline(json.load(open("blocking.json")))
view
"""


@pytest.fixture(params=["light", "dark"])
def desk(jupyter, open_notebook, request):
    (jupyter.files / "blocking.json").write_text(json.dumps(view_states.blocking()))
    desk = open_notebook(jupyter.write("use.ipynb", SHOW, "40 + 2"), theme=request.param)
    desk.run_all()
    desk.page.wait_for_selector(".evo-timeline [data-lane=c3] [data-state=served]")
    desk.theme = request.param
    return desk


def test_in_the_hand(desk):
    root, page = desk.page.locator(".evo-timeline"), desk.page
    # Pointing at the silent client's bar tells its exact figures and the kernel's words.
    bar = root.locator("[data-lane=c3] [data-state=served]")
    bar.hover(force=True)
    told = root.locator(".evo-tip").inner_text()
    assert "silent 1 · served" in told and "0.400 s to 2.300 s" in told and "fd 5 of 4711" in told
    desk.picture(f"timeline-tooltip-{desk.theme}", ".evo-timeline")
    # A drag zooms; two zeros would restart JupyterLab's kernel if they came through.
    box = bar.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 210, box["y"] + 5, steps=4)
    page.mouse.up()
    eventually(lambda: root.get_attribute("data-zoomed") is not None, "a zoom by drag")
    stage = root.locator(".evo-stage")
    active = ".jp-Notebook .jp-Cell.jp-mod-active"
    stage.focus()
    before = page.locator(active).evaluate("cell => [...cell.parentNode.children].indexOf(cell)")
    for key in ("0", "0", "ArrowDown", "ArrowDown", "d", "d", " "):
        stage.press(key)
    assert page.locator(active).evaluate("cell => [...cell.parentNode.children].indexOf(cell)") == before
    assert page.locator(".jp-Dialog").count() == 0 and page.locator(".jp-CodeCell").count() == 2
    eventually(lambda: root.get_attribute("data-zoomed") is None, "the whole of it")
    # Space plays; what has not happened yet is not to be seen; the end shows everything again.
    eventually(lambda: 0 < float(root.get_attribute("data-head") or 0) < 3, "a head on its way")
    eventually(lambda: root.get_attribute("data-head") is None, "the end of playing")
    assert root.get_attribute("data-playing") is None


def test_saving(desk, tmp_path):
    root = desk.page.locator(".evo-timeline")
    for name, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        with desk.page.expect_download() as saved:
            root.locator(f".evo-{name}\\:").click()
        assert saved.value.suggested_filename == f"blocking-one-silent-client.{name}"
        saved.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    picture = ET.parse(tmp_path / "svg").getroot()
    words = " ".join(picture.itertext())
    assert "var(" not in (tmp_path / "svg").read_text()
    assert words.endswith(view_states.blocking()["sentence"]) and "polite 6" in words
