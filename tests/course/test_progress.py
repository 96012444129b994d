"""Progress is plain files: kept, counted, carried to another machine, and never lost on the way."""

import json
import zipfile

import pytest

from evolution.course import exercise, progress
from evolution.course.progress import Progress
from evolution.course.verdict import Verdict

WRONG = Verdict("read_line", "wrong", "eof_spin", ("it spins",))
PASSED = Verdict("read_line", "passed")
NOTHING = Verdict("read_line", "not_attempted")


@pytest.fixture
def mine(tmp_path):
    return Progress(tmp_path / "answers")


def test_attempts_are_numbered_files_beside_their_verdicts(mine):
    mine.record("read_line", "one = 1\n", WRONG)
    mine.record("read_line", "two = 2\n", PASSED)
    folder = mine.folder / "history" / "read_line"
    assert sorted(path.name for path in folder.iterdir()) == [
        "001.py",
        "001.verdict",
        "002.py",
        "002.verdict",
    ]
    assert json.loads((folder / "001.verdict").read_text())["diagnosis"] == "eof_spin"
    assert [each.outcome for each in Progress(mine.folder).attempts("read_line")] == ["wrong", "passed"]


def test_the_solution_opens_after_success_or_three_different_attempts(mine):
    for source in ("a = 1", "a = 1  # the same", "a  =  1", "a = 2"):
        mine.record("read_line", source, WRONG)
    mine.record("read_line", "nothing", NOTHING)
    assert mine.different_attempts("read_line") == 2
    assert not mine.solution_is_open("read_line")
    mine.record("read_line", "a = 3", WRONG)
    assert mine.solution_is_open("read_line")


def test_success_opens_the_solution_at_once(mine):
    mine.record("read_line", "a = 1", PASSED)
    assert mine.solution_is_open("read_line")


def test_the_difference_to_the_last_attempt(mine):
    assert mine.diff("read_line") == ""
    mine.record("read_line", "a = 1\nb = 2\n", WRONG)
    mine.record("read_line", "a = 1\nb = 3\n", WRONG)
    lines = mine.diff("read_line").splitlines()
    assert lines[:2] == ["--- attempt 1", "+++ attempt 2"]
    assert "-b = 2" in lines and "+b = 3" in lines


def test_a_damaged_verdict_is_passed_over_and_its_number_not_used_again(mine):
    mine.record("read_line", "a = 1", WRONG)
    (mine.history("read_line") / "001.verdict").write_text("{")
    assert mine.attempts("read_line") == []
    assert mine.record("read_line", "a = 2", WRONG) == 2


def test_mistakes_come_once_each(mine):
    for verdict in (WRONG, WRONG, PASSED):
        mine.record("read_line", "a", verdict)
    assert mine.mistakes() == [("read_line", "eof_spin")]


def test_export_and_restore_carry_everything(mine, tmp_path):
    mine.write("read_line", "now = 1\n")
    mine.record("read_line", "a = 1\n", WRONG)
    mine.open_hint("read_line", 2)
    mine.export(tmp_path / "p.zip")
    other = Progress(tmp_path / "other")
    other.restore(tmp_path / "p.zip")
    assert other.answer("read_line").read_text() == "now = 1\n"
    assert other.attempts("read_line") == mine.attempts("read_line")
    assert other.hints("read_line") == 2
    other.restore(tmp_path / "p.zip")
    assert len(other.attempts("read_line")) == 1, "restoring twice adds nothing"


def test_restore_never_takes_anything_away(mine, tmp_path):
    mine.write("read_line", "theirs\n")
    mine.record("read_line", "theirs\n", WRONG)
    mine.export(tmp_path / "p.zip")
    other = Progress(tmp_path / "other")
    other.write("read_line", "mine\n")
    other.record("read_line", "mine\n", PASSED)
    other.restore(tmp_path / "p.zip")
    assert other.answer("read_line").read_text() == "mine\n"
    assert [each.source for each in other.attempts("read_line")] == ["mine\n", "theirs\n"]


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/x.py", "history/read_line/../../x.py", "a.sh", "history/x"]
)
def test_a_foreign_archive_is_refused(name, mine, tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ValueError, match="expected a file made by"):
        mine.restore(tmp_path / "p.zip")
    assert not mine.folder.exists()


def test_no_archive_at_all_is_refused(mine, tmp_path):
    (tmp_path / "p.zip").write_text("hello")
    with pytest.raises(ValueError, match="expected a file made by"):
        mine.restore(tmp_path / "p.zip")


def test_the_command_shows_exports_and_restores(notebook_folder, capsys):
    Progress().record("read_line", "a", WRONG)
    assert progress.main([]) == 0
    shown = capsys.readouterr().out
    assert "eof_spin, 1 attempt\n" in shown and shown.endswith(f"0 of {len(exercise.catalogue())} passed\n")
    assert progress.main(["--export", "p.zip"]) == 0
    assert progress.main(["--folder", "other", "--restore", "p.zip"]) == 0
    assert Progress("other").mistakes() == [("read_line", "eof_spin")]
    assert progress.main(["--restore", "missing.zip"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_summary_is_json(notebook_folder, capsys):
    assert progress.main(["--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    chapter = [row["exercise"] for row in rows if row["chapter"] == "ch1_blocking"]
    assert chapter[:3] == ["three_clients", "backlog_of_three", "read_line"], "in the order of the course"
    assert {row["state"] for row in rows} == {"not_attempted"}
