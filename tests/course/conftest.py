"""Answers of a test lie in a folder of its own."""

import IPython
import pytest
from IPython.testing.globalipapp import start_ipython


@pytest.fixture
def notebook_folder(tmp_path, monkeypatch):
    """A working directory as a notebook has it: answers/ appears in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def shell():
    """IPython as a notebook's kernel has it, with the course loaded; there is one in a process."""
    found = start_ipython() or IPython.get_ipython()
    found.run_line_magic("load_ext", "evolution.course")
    return found
