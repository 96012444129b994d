"""The map: chapters, servers, how far the learner has come, in HTML, SVG and words."""

import re
import xml.etree.ElementTree as ET

import pytest

from evolution import GENERATIONS
from evolution.course.overview import STAGES, overview
from evolution.course.progress import Progress
from evolution.views import Map
from evolution.views.map_glyphs import GLYPHS, SIZE, glyph
from evolution.views.map_svg import drawing
from evolution.views.shapes import painter


def exercises(*outcomes):
    return [{"name": f"e{n}", "title": f"Task <{n}>", "outcome": each} for n, each in enumerate(outcomes)]


def chapter(number, *outcomes, ready=True, models=()):
    return {
        "number": number,
        "title": f"Chapter & {number}",
        "notebook": f"0{number}_x.ipynb",
        "ready": ready,
        "minutes": 20,
        "exercises": exercises(*outcomes),
        "models": [{"name": name, "idea": f"idea of {name}", "after": ""} for name in models],
    }


STATE = {
    "chapters": [
        chapter(0, "passed"),
        chapter(1, "passed", "tried", "open", models=["blocking"]),
        chapter(2, "open", models=["fork", "threads"]),
        chapter(3, ready=False, models=["select_loop"]),
    ]
}


def test_the_stages_are_the_generations_and_each_has_a_glyph():
    assert tuple(stage.model for stage in STAGES) == GENERATIONS == tuple(GLYPHS)
    drawn = {name: glyph(name, painter("light")) for name in GLYPHS}
    assert len(set(drawn.values())) == len(GENERATIONS)
    for text in drawn.values():
        tree = ET.fromstring(f"<svg>{text}</svg>")
        right = [float(n.get("x", n.get("x2", n.get("cx", 0)))) + float(n.get("width", 0)) for n in tree]
        assert max(right) <= SIZE[0]


def test_html_names_states_links_and_outcomes():
    html = Map(STATE).html
    assert re.findall(r'data-chapter="(\d)" data-state="([a-z-]+)"', html) == [
        ("0", "done"),
        ("1", "next"),
        ("2", "open"),
        ("3", "to-come"),
    ]
    assert re.findall(r'href="([^"]+)"', html) == ["00_x.ipynb", "01_x.ipynb", "02_x.ipynb"]
    first = html.partition("<ul>")[0]  # the dots before the list of names
    assert re.findall(r'data-outcome="(\w+)"', first) == ["passed"]
    assert "Task &lt;1&gt;: tried, not passed yet" in html and "Chapter &amp; 1" in html
    assert re.findall(r'data-model="(\w+)"', html) == ["blocking", "fork", "threads", "select_loop"]


def test_every_form_says_the_same():
    view = Map(STATE)
    data, _ = view._repr_mimebundle_()
    sentence = "4 servers in 4 chapters; you have passed 2 of 5 exercises. Next: chapter 1, Chapter & 1."
    assert data["text/plain"].splitlines()[0] == sentence
    assert sentence.replace("&", "&amp;") in view.html
    assert sentence in " ".join("".join(ET.fromstring(data["image/svg+xml"]).itertext()).split())
    assert "●◐○" in data["text/plain"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_svg_has_every_chapter_server_and_outcome(theme):
    tree = ET.fromstring(drawing(STATE, theme))

    def named(name):
        return [node.get(name) for node in tree.iter() if node.get(name)]

    assert named("data-chapter") == ["0", "1", "2", "3"]
    assert named("data-model") == ["blocking", "fork", "threads", "select_loop"]
    assert named("data-outcome") == ["passed", "passed", "tried", "open", "open"]


def test_when_all_is_passed_nothing_is_next():
    assert "Next" not in Map({"chapters": [chapter(0, "passed")]}).text()


def test_the_learners_progress_comes_from_the_answers(tmp_path):
    state = overview(Progress(tmp_path))
    assert [each["number"] for each in state["chapters"]] == list(range(6))
    assert {task["outcome"] for each in state["chapters"] for task in each["exercises"]} == {"open"}
    history = tmp_path / "history" / "read_line"
    history.mkdir(parents=True)

    def after(outcome):
        number = len(list(history.glob("*.py"))) + 1
        (history / f"00{number}.py").write_text("x")
        (history / f"00{number}.verdict").write_text(f'{{"outcome": "{outcome}", "when": "2025-01-01"}}')
        chapters = overview(Progress(tmp_path))["chapters"]
        return {task["name"]: task["outcome"] for each in chapters for task in each["exercises"]}["read_line"]

    tries = ("not_attempted", "wrong", "passed", "wrong")
    assert [after(outcome) for outcome in tries] == ["open", "tried", "passed", "passed"]
