"""The matrix goes on where it was interrupted, and believes nothing that other code has found."""

import pytest

from evolution.course import matrix
from evolution.course.verdict import Verdict


@pytest.fixture
def checked(monkeypatch):
    """Samples of one exercise, checked by something that always finds the answer right."""
    tried = []

    def check(name, path):
        tried.append(path.stem)
        return Verdict(name, "passed", None, ("seen",))

    monkeypatch.setattr(matrix.exercise, "check", check)
    return tried


def test_what_is_in_the_journal_is_not_checked_again(checked, tmp_path):
    first = matrix.run(["restart"], times=2, journal=matrix.Journal(tmp_path / "j"))
    count = len(checked)
    assert count == 2 * len(first)
    again = matrix.run(["restart"], times=3, journal=matrix.Journal(tmp_path / "j"))
    assert len(checked) == count + len(first), "only the third round"
    assert all(sample.said == {"passed": 3} for sample in again)


def test_an_interruption_loses_nothing_that_was_found(checked, tmp_path):
    path = tmp_path / "j"
    matrix.run(["restart"], journal=matrix.Journal(path))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:3]) + lines[3][:10])
    checked.clear()
    matrix.run(["restart"], journal=matrix.Journal(path))
    assert len(checked) == len(lines) - 3


def test_the_other_column_and_other_code_are_checked_anew(checked, tmp_path, monkeypatch):
    journal = matrix.Journal(tmp_path / "j")
    count = len(matrix.run(["restart"], journal=journal))
    matrix.run(["restart"], busy=True, journal=journal)
    assert len(checked) == 2 * count
    monkeypatch.setattr(matrix, "digest", lambda sample: "other")
    matrix.run(["restart"], journal=journal)
    assert len(checked) == 3 * count


def test_the_table_marks_what_is_not_as_it_should_be(checked, tmp_path):
    told = []
    found = matrix.run(["restart"], tell=told.append)
    right = sum(sample.expected == "passed" for sample in found)
    lines = matrix.table({"idle": found})
    assert "| restart | solution | passed | passed 1× | " in "\n".join(lines)
    assert "| restart | wrong/no_option | no_option | **passed 1×** | " in "\n".join(lines)
    assert told[-1].startswith(f"idle, round 1 of 1: {right} of {len(found)} answers as expected so far, ")
