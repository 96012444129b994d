"""The shape of the house: which room may import which, how large a model is, which methods are twins."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from evolution import GENERATIONS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "evolution"
STDLIB = set(sys.stdlib_module_names)
COMPOSITIONS = {"multireactor": "epoll_loop"}
KNOW_NOTEBOOKS = {
    *("lab/panels.py", "lab/controls.py", "lab/pictures.py"),  # panels; their parts; pictures in one line
    "lab/measured.py",  # results with their views
    "lab/stepped.py",  # a run of the Reactor with its view
    "lab/trace_panel.py",  # the system calls of a server with their view
    *("course/magic.py", "course/cards.py", "course/asked.py", "course/kept.py"),  # magics; their cards
    "course/final.py",  # the capstone's panel
    "course/suspects.py",  # the mystery servers with buttons
    "course/overview.py",  # the map, with the learner's progress in it
}

MAY_IMPORT = {  # room: (rooms of ours, packages of others); one's own room is always open
    "core": (set(), set()),
    "models": ({"core"}, set()),
    "lab": ({"core"}, {"psutil"}),
    "views": (set(), {"anywidget", "traitlets", "pygments"}),
    "course": ({"lab"}, set()),
}

SLEEPS = re.compile(
    r"while True|\.accept\(|os\.fork\(|threading\.Thread\(|select\.(select|poll|epoll)\(|time\.sleep\("
)


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the room: no relative ones"
            if node.module == "evolution":
                modules = {alias.name for alias in node.names} - {"GENERATIONS", "__version__"}
                yield from (f"evolution.{name}" for name in modules)
            else:
                yield node.module


def room(module):
    """Which room a dotted name of ours lies in."""
    name = module.split(".")[1]
    return "models" if name in GENERATIONS else name


def source_files():
    found = (path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")))
    apart = {"exercises", "specimens", "look.py"}  # programs of their own, run and never imported
    return [path for path in found if not apart & set(path.parts) and path.name != "__main__.py"]


@pytest.mark.parametrize("relative", source_files(), ids=str)
def test_doors(relative):
    here = room("evolution." + relative.parts[0].removesuffix(".py"))
    if here not in MAY_IMPORT:
        assert list(imports(parsed(PACKAGE / relative))) == []  # evolution/__init__.py knows names only
        return
    ours, others = MAY_IMPORT[here]
    if str(relative) in KNOW_NOTEBOOKS:
        ours, others = {"lab", "views", "course"}, {*others, "IPython", "ipywidgets"}
    for module in imports(parsed(PACKAGE / relative)):
        top = module.split(".")[0]
        if top == "evolution" and module.count("."):
            there = room(module)
            earlier = COMPOSITIONS.get(relative.stem) == module.split(".")[1]
            assert there == here != "models" or there in ours or earlier, (
                f"{relative} must not import {module}"
            )
        elif top != "evolution":
            assert top in STDLIB or top in others, f"{relative} must not import {module}"


def code_lines(path):
    """Lines with code on them: neither blank, comment nor docstring."""
    source = path.read_text(encoding="utf-8")
    prose = set()
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            prose |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    silent = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - prose)


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_model_is_at_most_eighty_lines(name):
    assert code_lines(PACKAGE / f"{name}.py") <= 80


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_model_says_what_it_is_and_what_changed(name):
    doc = ast.get_docstring(parsed(PACKAGE / f"{name}.py"))
    lines = doc.splitlines()
    assert lines[0].endswith(".") and lines[1] == ""
    assert lines[2].startswith("Changed since ")
    named = lines[2].removeprefix("Changed since ").split(":")[0]
    assert named == "the beginning" or GENERATIONS.index(named) < GENERATIONS.index(name)


def test_what_can_sleep_stands_in_the_models_only():
    for path in (PACKAGE / "core").glob("*.py"):
        found = [line.strip() for line in path.read_text().splitlines() if SLEEPS.search(line)]
        allowed = ["time.sleep(seconds)"] if path.name == "app.py" else []  # /slow is a handler that sleeps
        assert [line for line in found if not any(a in line for a in allowed)] == []


def test_each_sleep_is_marked():
    for name in GENERATIONS:
        for line in (PACKAGE / f"{name}.py").read_text().splitlines():
            if re.search(
                r"time\.sleep\(|select\.select\(|poller\.poll\(|epoll\.poll\(|requests\.get\(\)", line
            ):
                assert "sleeps here" in line, (name, line)


TWINS = {
    "serve": [("blocking", "fork", "threads", "prefork"), ("select_loop", "poll_loop", "epoll_loop")],
    "loop": [("blocking", "prefork")],
    "supervise": [("prefork", "multireactor")],
    "sleep": [("prefork", "multireactor")],
    "reap": [("prefork", "multireactor")],
    "tell_crew": [("prefork", "multireactor")],
    "serve_forever": [("select_loop", "poll_loop", "epoll_loop")],
    "accept": [],
    "settle": [("poll_loop", "epoll_loop")],
}


@pytest.mark.parametrize(("method", "names"), [(m, n) for m, groups in TWINS.items() for n in groups])
def test_twins_are_equal(method, names):
    sources = {}
    for name in names:
        path = PACKAGE / f"{name}.py"
        (node,) = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.FunctionDef) and n.name == method]
        sources[name] = ast.get_source_segment(path.read_text(), node)
    first, *rest = sources.values()
    assert all(source == first for source in rest), f"{method} differs among {names}"


def test_no_module_is_named_like_one_of_the_standard_library():
    assert STDLIB.isdisjoint(GENERATIONS)


def test_nothing_imports_tests_bench_or_lessons():
    for path in PACKAGE.rglob("*.py"):
        for module in imports(parsed(path)):
            assert module.split(".")[0] not in ("tests", "bench", "lessons")


def test_no_tracked_file_names_a_registry():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    hosts = re.compile(r"(pypi|files\.pythonhosted|registry\.npmjs)\.(org|com)")
    named = [
        f for f in tracked if (ROOT / f).is_file() and hosts.search((ROOT / f).read_text(errors="replace"))
    ]
    assert named == []
