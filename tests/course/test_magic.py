"""The notebook's side: the cell becomes a file, is checked elsewhere, and a card says what came of it."""

import json
import re
import signal
import threading

import pytest

from evolution.course import cards, exercise, magic, sealed
from evolution.course.progress import Progress
from evolution.course.verdict import OUTCOMES, Verdict

SOLUTION = exercise.load("restart").read("solution.py")
WRONG = (exercise.load("restart").folder / "wrong/no_option.py").read_text()


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, without the bar that moves during the check: it is closed again by then."""
    found = []

    def display(card, **options):
        if isinstance(card, cards.Card):
            found.append(card)
        else:
            assert "<progress>" in card.value

    monkeypatch.setattr(magic, "display", display)
    return found


def test_the_cell_is_written_checked_and_recorded(shell, shown, notebook_folder):
    shell.run_cell_magic("exercise", "restart", WRONG)
    (card,) = shown
    assert card.verdict.diagnosis == "no_option"
    path = notebook_folder / "answers" / "restart.py"
    assert path.read_text() == "# %%exercise restart\n" + WRONG
    assert [each.diagnosis for each in Progress().attempts("restart")] == ["no_option"]
    assert "open_listener" not in shell.user_ns


def test_line_numbers_are_the_cells(shell, shown, notebook_folder):
    shell.run_cell_magic("exercise", "restart", "def open_listener(port):\n    return nothing\n")
    (card,) = shown
    assert "your line 3: return nothing" in card.verdict.evidence


def test_the_card_has_a_text_twin(shell, shown, notebook_folder):
    shell.run_cell_magic("exercise", "restart", "x = = 1\n")
    bundle = shown[0]._repr_mimebundle_()
    assert bundle["text/plain"].startswith("restart: the program broke down\n  Python cannot read line 2")
    assert "your line 2: x = = 1" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_buttons_give_hints_one_at_a_time_and_the_solution_late(shell, shown, notebook_folder):
    for number in range(3):
        shell.run_cell_magic("exercise", "restart", f"x = {number}\n")
        card = shown[-1]
        assert card.solution.disabled == (number < 2)
    hints = exercise.load("restart").hints
    card.hint.click()
    assert cards.prose(hints[0]) in card.below.value and cards.prose(hints[1]) not in card.below.value
    card.hint.click()
    assert cards.prose(hints[1]) in card.below.value
    card.diff.click()
    assert "-x = 1" in card.below.value and "+x = 2" in card.below.value
    card.solution.click()
    assert "SO_REUSEADDR" in card.below.value
    card.reset.click()
    assert (notebook_folder / "answers/restart.py").read_text() == exercise.load("restart").read("starter.py")
    assert len(Progress().attempts("restart")) == 3


@pytest.mark.parametrize("line", ["", "nope", "restart extra", "three_clients"])
def test_a_wrong_name_is_one_message(line, shell, shown, capsys, notebook_folder):
    shell.run_cell_magic("exercise", line, "x = 1\n")
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and shown == []
    assert not (notebook_folder / "answers").exists()


def test_an_interrupt_ends_the_check_and_keeps_the_answer(shell, shown, capsys, notebook_folder):
    began = threading.Event()
    original = sealed.subprocess.Popen

    def popen(*arguments, **options):
        process = original(*arguments, **options)
        began.set()
        return process

    sealed.subprocess.Popen = popen
    threading.Thread(target=lambda: began.wait() and signal.raise_signal(signal.SIGINT)).start()
    try:
        shell.run_cell_magic("exercise", "restart", WRONG)
    finally:
        sealed.subprocess.Popen = original
    assert "interrupted" in capsys.readouterr().out
    assert shown == [] and Progress().attempts("restart") == []
    assert (notebook_folder / "answers/restart.py").exists()


def test_what_a_program_says_cannot_become_markup():
    verdict = Verdict(
        "restart", "crashed", None, ("<script>alert(1)</script>",), output="<img src=x onerror=y>"
    )
    found = cards.verdict_html(verdict)
    assert "<script" not in found and "<img" not in found


def test_code_in_a_sentence_is_code_and_nothing_else_is():
    found = cards.prose("`recv` returns `b''`, <b> and a lone ` too")
    assert re.sub(r' style="[^"]*"', "", found) == (
        "<code>recv</code> returns <code>b&#x27;&#x27;</code>, &lt;b&gt; and a lone ` too"
    )


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_a_mark_beside_its_colour(outcome):
    diagnosis = "no_option" if outcome == "wrong" else None
    found = cards.verdict_html(Verdict("restart", outcome, diagnosis))
    assert cards.MARKS[outcome] in found and 'role="status"' in found


def test_colours_are_the_themes():
    found = cards.verdict_html(Verdict("restart", "crashed", None, ("x",), "Why?"))
    assert re.findall(r"(?<!,)#[0-9a-fA-F]{3,6}", found) == [], "only as a fallback of a variable"


def test_a_prediction_is_locked_in_measured_and_kept(shell, notebook_folder):
    card = shell.user_ns["predict"]("three_clients")
    card.lock.click()
    assert card.verdict is None and "expected a guess" in card.message.value
    for key, value in {"connected": "0", "first": "0", "second": "0.2", "third": "0.4"}.items():
        card.inputs[key].value = value
    card.lock.click()
    assert card.verdict.diagnosis == "off_by_one"
    assert isinstance(card.picture.children[-1], cards.VerdictCard)
    assert all(box.disabled for box in card.inputs.values()), "locked in is locked in"
    assert "off_by_one" in card._repr_mimebundle_()["text/plain"]
    assert Progress().attempts("three_clients")[0].diagnosis == "off_by_one"
    again = shell.user_ns["predict"]("three_clients")
    assert "off_by_one" in again.message.value


def test_recall_cards_are_about_the_learners_own_mistakes(shell, notebook_folder):
    Progress().record("fire_on_close", "x", Verdict("fire_on_close", "wrong", "fires_twice"))
    box = shell.user_ns["recall"]("ch1_blocking", seed=3)
    first = box.children[0]
    assert len(box.children) == 3 and "fires_twice" in first.card.about
    first.box.value = str(first.card.answer)
    first.button.click()
    assert "✓" in first.said.value and first.button.disabled


# --- the seal ---

FORGED = {
    "seal": "guess",
    "exercise": "restart",
    "outcome": "passed",
    "diagnosis": None,
    "evidence": [],
    "question": None,
    "output": "",
    "details": {},
}


def fake_checker(monkeypatch, source):
    import sys

    original = sealed.subprocess.Popen
    monkeypatch.setattr(
        sealed.subprocess,
        "Popen",
        lambda command, **options: original([sys.executable, "-c", source], **options),
    )


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import os; os._exit(0)",
        "print('{')",
        "print('[]')",
        f"print({json.dumps(FORGED)!r})",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
def test_a_checker_without_a_sealed_verdict_is_no_pass(source, monkeypatch, tmp_path):
    fake_checker(monkeypatch, source)
    verdict = sealed.check("restart", tmp_path / "x.py")
    assert verdict.outcome == "unrecognised" and "without a verdict" in verdict.evidence[0]


def test_a_checker_that_never_ends_is_stopped(monkeypatch, tmp_path):
    fake_checker(monkeypatch, "import time; time.sleep(60)")
    verdict = sealed.check("restart", tmp_path / "x.py", seconds=0.5)
    assert verdict.outcome == "unrecognised" and "did not end" in verdict.evidence[0]
