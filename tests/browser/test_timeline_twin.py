"""The browser's timeline and its SVG twin agree: which sections there are, where a guess's words stand."""

import json
import sys
import xml.etree.ElementTree as ET

import pytest
from browsing import ROOT
from serving import eventually
from test_timeline_grows import PAGE

from evolution.views import Timeline
from evolution.views.timeline_svg import drawing

sys.path.append(str(ROOT / "tests" / "views"))
import view_states

pytestmark = pytest.mark.browser

SVG = "{http://www.w3.org/2000/svg}"
ALL = ("lanes", "queue", "processes")
HEADS = "() => [...document.querySelectorAll('.evo-drawing .evo-heading')].map(node => node.textContent)"
WORDS = """() => [...document.querySelectorAll('[data-guess] text')].map(node =>
    [node.textContent, Math.round(node.getAttribute('x')), node.getAttribute('text-anchor')])"""
PIDS = """lane => [...document.querySelectorAll(`[data-lane=${lane}] text`)]
    .filter(node => node.getClientRects().length && getComputedStyle(node).visibility === 'visible')
    .map(node => node.textContent)"""


def states():
    whole = view_states.blocking()
    whole["lanes"][4]["end"] = {"state": "reset", "t": 2.6, "note": "ECONNRESET"}
    for given in ((), ALL[2:], ALL[:1], ALL[1:], ALL):
        some = {key: value for key, value in whole.items() if key not in ALL or key in given}
        yield some | {"title": f"only {given}"}
    for client in ("c1", "c3", "c5", "p4711"):
        for share in (0.02, 0.14, 0.3, 0.75, 0.9, 1.0, 1.2):
            guess = {"lane": client, "t": 3.0 * share, "label": "your prediction"}
            yield whole | {"guesses": [guess], "title": f"{client} at {guess['t']}"}


@pytest.fixture
def page(browser, tmp_path):
    """A page with a timeline 720 px wide, which is told states."""
    view = Timeline(view_states.blocking())
    traits = json.dumps({"state": view.state, "language": view.language})
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    file = tmp_path / "page.html"
    file.write_text(PAGE % {"css": Timeline._css, "traits": traits, "esm": json.dumps(str(Timeline._esm))})
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('.evo-timeline[data-now]')")
    yield page
    assert errors == []
    page.close()


def test_sections_and_words_of_a_prediction(page):
    for state in states():
        page.evaluate("state => heard['msg:custom']({ kind: 'snapshot', state })", state)
        twin = ET.fromstring(drawing(state))
        texts = list(twin.iter(f"{SVG}text"))
        heads = [node.text for node in texts if node.get("class") == "head"]
        eventually(lambda heads=heads: page.evaluate(HEADS) == heads, f"sections {heads}")
        words = [
            [node.text, round(float(node.get("x"))), node.get("text-anchor")]
            for guess in twin.iter()
            if guess.get("data-guess")
            for node in guess.iter(f"{SVG}text")
        ]
        eventually(lambda words=words: page.evaluate(WORDS) == words, f"{words} for {state['guesses']}")
        for guess in state["guesses"]:
            told = [node.text for node in twin.find(f".//*[@data-lane='{guess['lane']}']").iter(f"{SVG}text")]
            assert page.evaluate(PIDS, guess["lane"]) == told, guess
