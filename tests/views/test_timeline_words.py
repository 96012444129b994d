"""The timeline's words: every form says the same, and what is written and drawn can be read."""

import re
from pathlib import Path

import pytest
import view_states as states
from timeline_picture import SVG, placed, root

from evolution.views import legend, marks
from evolution.views import timeline_state as model
from evolution.views.timeline_svg import drawing
from evolution.views.timeline_text import text


# --- words ---
def test_the_sentence_is_the_first_line_and_in_the_picture(state):
    assert text(state).splitlines()[0] == state["sentence"]
    tree = root(state)
    assert tree.find(f"{SVG}desc").text == state["sentence"]
    said = " ".join(node.text for node in tree.iter(f"{SVG}text") if node.get("class") == "said")
    assert said == state["sentence"]


def test_the_text_twin_draws_the_same_order(state):
    lines = text(state).splitlines()
    labels = [each["label"][:16] for each in (*model.shown(state), *state["processes"])]
    rows = [line for line in lines if line[:16].strip() in labels]
    assert [line[:16].strip() for line in rows] == labels


def test_the_text_twin_tells_the_models_apart():
    row = {name: text(getattr(states, name)()).splitlines() for name in ("blocking", "select")}
    assert "≡" not in row["blocking"][-1] and "- asleep for one" in row["blocking"][-1]
    assert "≡ asleep for many" in row["select"][-1]


def test_the_legend_names_what_is_drawn_and_nothing_else(state):
    present = {node.get("data-key") for node in root(state).iter() if node.get("data-key")}
    named = set(model.keys(state))
    assert named <= present | {"ends.reset"}  # a crowd's failures are one band
    assert present - named <= {"client.queued", "ends.failed"}


@pytest.mark.parametrize(
    ("end", "words"),
    [(0.05, "10 ms"), (0.5, "100 ms"), (2.0, "0.5 s"), (3.0, "0.5 s"), (30, "5 s")],
)
def test_ticks_are_round(end, words):
    assert model.ticks(end, 7)[1][1] == words
    assert all(t <= end * 1.0001 for t, _ in model.ticks(end, 7))


def test_times_have_two_significant_digits():
    shown = [marks.time(t) for t in (0, 0.00078, 0.0123, 0.523, 0.9996, 1.984, 15.4, -0.4)]
    assert shown == ["0 s", "0.8 ms", "12 ms", "520 ms", "1.0 s", "2.0 s", "15 s", "−400 ms"]


def test_sizes_are_binary():
    assert [marks.size(n) for n in (512, 1536, 20 * 2**20)] == ["512 B", "1.5 KiB", "20 MiB"]


# --- legibility ---
def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast(theme):
    """WCAG 2.2: text 4.5:1 (1.4.3), marks 3:1 (1.4.11), on the page and on the pale bars."""
    colour = {name: pair[theme] for name, pair in marks.PALETTE.items()}
    pages = [colour["page"], ("#FFFFFF", "#212121")[theme]]  # JupyterLab's layout-color0 and -color1
    for name in marks.TEXTS:
        assert min(contrast(colour[name], page) for page in pages) >= 4.5, name
    for name in marks.MARKS:
        assert min(contrast(colour[name], page) for page in [*pages, colour["pale"]]) >= 3, name
    for name in ("served", "sending", "fail"):
        assert contrast(colour["onmark"], colour[name]) >= 4.5, name
    assert contrast(colour["ink"], colour["pale"]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_written_under_11_px(state, theme):
    sizes = re.findall(r"(?:font-size:|font:)(\d+)px", drawing(state, theme))
    assert sizes and min(map(int, sizes)) >= 11 and "font-size=" not in drawing(state, theme)
    assert marks.LAYOUT["text"] >= 11


def test_nothing_lies_outside_the_picture(state):
    tree = root(state)
    height = tree.get("height")
    assert tree.get("viewBox") == f"-8 0 736 {height}"
    for words, left, right, y in placed(tree):
        assert -8 <= left < right <= 728 + 8 or len(words) > 80, words  # a sentence is set narrower
        assert 0 < y < float(height), words


def test_a_style_sheet_means_its_own_picture_only():
    """nbconvert puts all pictures into one page."""
    for picture in (drawing(states.blocking()), legend.picture()):
        rules = re.search(r"<style>(.*?)</style>", picture)[1].split("}")[:-1]
        assert all(rule.startswith((".evo-twin ", ".evo-legend-twin ")) for rule in rules)


def test_the_legend_in_the_documentation_is_fresh():
    """python -m evolution.views.legend > docs/img/legend.svg"""
    picture = legend.picture()
    assert (Path(__file__).parents[2] / "docs" / "img" / "legend.svg").read_text(encoding="utf-8") == picture
    for table in (marks.CLIENT, marks.ENDS, marks.SLEEPS):
        for word, meaning, *_ in table.values():
            assert f">{word}<" in picture and f">{meaning}<" in picture


def test_a_theme_that_does_not_exist():
    with pytest.raises(ValueError, match="expected theme 'light' or 'dark', not 'blue'"):
        drawing(states.blocking(), "blue")


def test_words_from_outside_cannot_break_the_picture():
    state = states.blocking()
    state["title"] = state["sentence"] = state["lanes"][0]["label"] = "</text><script>&\"'"
    state["lanes"][0]["end"] = {"state": "reset", "t": 0.2, "note": "<b>"}
    tree = root(state)
    assert tree.find(f".//{SVG}script") is None
    assert tree.find(f"{SVG}title").text == "</text><script>&\"'"
