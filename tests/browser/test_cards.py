"""The cards in a real notebook: verdict, hints, solution, replay, prediction, recall, progress out and in."""

import json
import shutil
from pathlib import Path

import pytest
from browsing import ROOT
from serving import eventually

from evolution.course import exercise

pytestmark = pytest.mark.browser

SETUP = "%load_ext evolution.course"
AXE = Path(ROOT / ".ci" / "out" / "node_modules" / "axe-core" / "axe.min.js")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}

SILENT = """%%exercise read_line
def read_line(conn):
    line = b""
    while data := conn.recv(4096):
        line += data
    return line.rstrip(b"\\n")
"""
WRONG = "%%exercise restart\n" + (exercise.load("restart").folder / "wrong/no_option.py").read_text()
RIGHT = "%%exercise restart\n" + exercise.load("restart").read("solution.py")


@pytest.fixture
def desk(jupyter, open_notebook, request):
    """A notebook with these cells, each of them run."""
    shutil.rmtree(jupyter.files / "answers", ignore_errors=True)

    def desk(*cells, theme="light"):
        name = jupyter.write(f"{request.node.originalname}-{theme}.ipynb", SETUP, *cells)
        opened = open_notebook(name, theme=theme)
        for index in range(len(cells) + 1):
            opened.run_cell(index, index + 1)
        return opened

    yield desk
    shutil.rmtree(jupyter.files / "answers", ignore_errors=True)


def click(desk, name, card=".evolution-card >> nth=-1"):
    desk.page.locator(card).locator(f"button.evolution-{name}").click()


def says(desk, selector, words):
    desk.page.locator(selector, has_text=words).first.wait_for()


def no_barriers(desk, selector):
    """axe-core, where there is one: `npm install --prefix .ci/out axe-core`."""
    if AXE.exists():
        desk.page.add_script_tag(path=AXE)
        found = desk.page.evaluate(
            f"axe.run({json.dumps(selector)}, {json.dumps(RULES)}).then(said => said.violations)"
        )
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_verdict_its_replay_its_hints_and_the_way_back(desk, theme):
    page = desk(SILENT, theme=theme)
    says(page, ".evolution-verdict", "asleep in recv(4)")
    hints = exercise.load("read_line").hints
    for number in (1, 2, 3):
        says(page, "button.evolution-hint", f"Hint {number} of 3")
        click(page, "hint")
        says(page, ".evolution-hints li", hints[number - 1][:40].partition("`")[0])
        assert page.page.locator(".evolution-hints li").count() == number
    assert page.page.locator("button.evolution-solution").is_disabled()
    click(page, "replay")
    lane = page.page.locator(".evo-timeline [data-lane][data-kind=client]")
    lane.first.wait_for()
    assert lane.count() == 1 and lane.locator("[data-state=served]").count() >= 1
    page.picture(f"card-verdict-{theme}", ".evolution-card")
    no_barriers(page, ".evolution-card")
    click(page, "replay")
    page.page.locator(".evo-timeline").wait_for(state="detached")
    click(page, "reset")
    says(page, ".evolution-starter", "%%exercise read_line")
    answer = page.jupyter.files / "answers" / "read_line.py"
    assert answer.read_text() == exercise.load("read_line").read("starter.py")


def test_three_different_attempts_open_the_solution_and_the_difference(desk):
    second, third = WRONG + "\nx = 1\n", WRONG + "\nx = 2\n"
    page = desk(WRONG, second, third)
    cards = page.page.locator(".evolution-card")
    assert cards.count() == 3
    disabled = [cards.nth(n).locator("button.evolution-solution").is_disabled() for n in range(3)]
    assert disabled == [True, True, False]
    assert cards.nth(0).locator("button.evolution-diff").is_disabled()
    click(page, "diff")
    says(page, ".evolution-diff-text", "+x = 2")
    click(page, "solution")
    says(page, ".evolution-solution-text", "SO_REUSEADDR")
    page.picture("card-solution", ".evolution-card >> nth=-1")


def test_a_pass_can_be_reported_as_wrong_all_the_same(desk):
    page = desk(RIGHT)
    says(page, ".evolution-verdict", "✓ passed")
    assert page.page.locator("button.evolution-replay").count() == 0
    click(page, "report")
    says(page, ".evolution-report-text", "Nothing has been sent")
    saved = json.loads((page.jupyter.files / "answers/reports/restart-1.json").read_text())
    assert saved["verdict"]["outcome"] == "passed" and "open_listener" in saved["answer"]
    page.picture("card-passed", ".evolution-card")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_prediction_is_locked_in_and_drawn_beside_what_was_measured(desk, theme):
    page = desk('predict("three_clients")', theme=theme)
    click(page, "lock", ".evolution-prediction")
    says(page, ".evolution-prediction", "expected a guess")
    for key, value in {"connected": "0", "first": "0", "second": "0.2", "third": "0.4"}.items():
        page.page.locator(f".evolution-input-{key} input").fill(value)
    click(page, "lock", ".evolution-prediction")
    says(page, ".evolution-verdict code", "off_by_one")
    inputs = page.page.locator("[class*=evolution-input-] input")
    assert all(inputs.nth(n).is_disabled() for n in range(inputs.count()))
    assert page.page.locator(".evo-timeline [data-lane][data-kind=client]").count() == 3
    page.picture(f"card-prediction-{theme}", ".evolution-prediction")
    no_barriers(page, ".evolution-prediction")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_recall_cards_are_answered_and_remembered(desk, theme):
    page = desk('recall("ch1_blocking", seed=3)', theme=theme)
    cards = page.page.locator(".evolution-recall")
    assert cards.count() == 3
    for n in range(3):
        box = cards.nth(n).locator("input, select")
        if box.evaluate("each => each.tagName") == "SELECT":
            box.select_option(index=1)
        else:
            box.fill("1")
        cards.nth(n).locator("button.evolution-recall-check").click()
        cards.nth(n).locator("[role=status]").wait_for()
        assert cards.nth(n).locator("button.evolution-recall-check").is_disabled()
    kept = (page.jupyter.files / "answers/recall.jsonl").read_text().splitlines()
    assert [json.loads(line)["card"].partition("/")[0] for line in kept] == ["ch1_blocking"] * 3
    page.picture(f"card-recall-{theme}", ".jp-OutputArea-output:has(.evolution-recall)")
    no_barriers(page, ".evolution-recall")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_progress_goes_out_by_one_click_and_comes_back_by_an_upload(desk, theme, tmp_path):
    page = desk(WRONG, "progress_card()", theme=theme)
    with page.page.expect_download() as download:
        page.page.locator("button.evolution-download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.suffix == ".zip"
    says(page, ".evolution-progress", f"{file.stat().st_size:,} bytes")
    answers = page.jupyter.files / "answers"
    shutil.rmtree(answers)
    with page.page.expect_file_chooser() as chooser:
        page.page.locator("button.evolution-restore").click()
    chooser.value.set_files(file)
    says(page, ".evolution-progress", "files added")
    assert (answers / "restart.py").read_text().endswith(WRONG.partition("\n")[2])
    eventually(lambda: (answers / "history/restart/001.verdict").exists(), "the attempt")
    page.picture(f"card-progress-{theme}", ".evolution-progress")
    no_barriers(page, ".evolution-progress")
