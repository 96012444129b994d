"""Which two texts are compared, and what the newer one says of the step."""

import subprocess
import sys

import pytest

from evolution import GENERATIONS, blocking
from evolution.lab.difference import DifferenceError, difference, docstring, read


@pytest.mark.parametrize("new", GENERATIONS[1:])
def test_each_model_says_what_changed(new):
    before = docstring(read(new)["text"]).partition("Changed since ")[2].split(":")[0]
    words = difference(before, new)["words"]
    assert words.startswith(f"Changed since {before}:") and words.endswith(".") and "\n" not in words


def test_further_apart_the_way_is_named():
    assert difference("blocking", "prefork")["words"] == "Not one step but 2: blocking, fork, prefork."
    assert difference("fork", "blocking")["words"] == ""


def test_modules_files_and_texts(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    found = difference(blocking, path)
    assert found["old"]["text"].startswith('"""One process') and found["old"]["name"] == "blocking"
    assert found["new"] == {"name": "mine", "text": "x = 1\n"} and found["words"] == ""
    assert difference(("a", "("), ("b", ")"))["words"] == ""  # not Python, and compared all the same


@pytest.mark.parametrize("source", ["no_such", "a\0b", ("a", 1), "/"])
def test_anything_else_is_refused_in_words(source):
    with pytest.raises(DifferenceError, match=r"expected a model \(blocking"):
        read(source)


def test_no_model_is_imported():
    said = "import sys; from evolution.lab.difference import difference; difference('blocking', 'fork'); "
    said += "sys.exit('evolution.fork' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0
