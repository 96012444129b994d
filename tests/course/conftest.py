"""Answers of a test lie in a folder of its own."""

import pytest


@pytest.fixture
def notebook_folder(tmp_path, monkeypatch):
    """A working directory as a notebook has it: answers/ appears in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
