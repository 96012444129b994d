"""Answers that ship with an exercise: a slip is found in its right answer just once, or it is an error."""

import tempfile
from pathlib import Path

import pytest

from evolution.course import exercise, shipped

SLIP = 'of = "right/whole.py"\n\n[[slip]]\nright = "{}"\nwrong = "{}"\n'


@pytest.fixture
def folder(tmp_path):
    for kind in ("right", "wrong"):
        (tmp_path / kind).mkdir()
    (tmp_path / "right/whole.py").write_text("x = 1\ny = 1\nz = 2\n")
    return tmp_path


def write(folder, right, wrong):
    path = folder / "wrong/slip.toml"
    path.write_text(SLIP.format(right, wrong))
    return path


def test_a_slip_changes_what_it_names_and_nothing_else(folder):
    path = write(folder, "z = 2", "z = 3")
    assert shipped.text(path) == "x = 1\ny = 1\nz = 3\n"
    assert shipped.text(folder / "right/whole.py") == "x = 1\ny = 1\nz = 2\n"


@pytest.mark.parametrize("right", ["= 1", "w = 0"])
def test_a_slip_that_is_not_there_just_once_is_an_error(folder, right):
    with pytest.raises(ValueError, match=r"expected this once in right/whole\.py"):
        shipped.text(write(folder, right, "?"))


def test_the_file_to_be_checked_is_there_and_goes_again(folder, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with shipped.as_file(write(folder, "z = 2", "z = 3")) as path:
        assert path.name == "slip.py" and path.read_text().endswith("z = 3\n")
    assert not path.exists() and list(folder.glob("evolution-*")) == []
    with shipped.as_file(folder / "right/whole.py") as path:
        assert path == folder / "right/whole.py"


def test_each_exercise_ships_each_kind():
    for task in exercise.catalogue().values():
        kinds = [path.parent.name for path in shipped.answers(task)]
        assert kinds[:2] == [task.name, task.name] and {"right", "wrong"} <= set(kinds)
        assert all(isinstance(path, Path) and shipped.text(path) for path in shipped.answers(task))
