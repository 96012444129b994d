"""The parts of a Python file that a reader sees as one thing each: its docstring, imports, methods.

Two models are compared part by part: the method `accept` beside the method `accept`, wherever it stands.
"""

import ast
from typing import NamedTuple

HEAD, DOCSTRING, IMPORTS = "at the top", "docstring", "imports"


class Part(NamedTuple):
    """Consecutive lines of a file."""

    name: str
    kind: str
    """"docstring", "imports", "code" (constants, the head of a class), "method"."""
    first: int
    """Number of its first line, from 0."""
    lines: tuple

    @property
    def code(self):
        """Its lines that are not blank, without the space around them."""
        return tuple(line.strip() for line in self.lines if line.strip())


def parts(*texts):
    """Return the Parts of each text, in order; blank lines between two belong to neither.

    When one of them is not Python, each of them is one part.
    """
    lines = [text.splitlines() for text in texts]
    try:
        trees = [ast.parse(text) for text in texts]
    except (SyntaxError, ValueError):
        return [[Part("text", "code", 0, tuple(some))] if some else [] for some in lines]
    return [_parts(tree, some) for tree, some in zip(trees, lines, strict=True)]


def _parts(tree, lines):
    return [_part(*run, lines) for run in _runs(tree, lines)] if lines else []


def base(text):
    """Return the module whose Worker the text's first class builds on, "epoll_loop"; "" for none."""
    try:
        classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    except (SyntaxError, ValueError):
        return ""
    for node in classes[:1]:
        for each in node.bases:
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
                return each.value.id
    return ""


def called(old, new, kept=False):
    """Return {"new", "gone"}: functions of the standard library that one text calls and the other does not.

    `kept`: the newer one inherits from the older, so that nothing is gone.
    """
    before, after = _called(old), _called(new)
    return {"new": sorted(after - before), "gone": sorted(before - after) if not kept else []}


def _called(text):
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    modules = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    dotted = (func for func in calls if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name))
    return {f"{func.value.id}.{func.attr}" for func in dotted if func.value.id in modules}


def _runs(tree, lines):
    """Yield (name, kind, first line, line after the last), from 1."""
    found = []
    for number, node in enumerate(tree.body):
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        if _is_string(node) and number == 0:
            found.append((DOCSTRING, "docstring", first))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if not found or found[-1][1] != "imports":
                found.append((IMPORTS, "imports", first))
        elif isinstance(node, ast.ClassDef):
            found.append((f"class {node.name}", "code", first))
            found += _members(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append((node.name, "method", first))
        elif not found or found[-1][:2] != (HEAD, "code"):
            found.append((HEAD, "code", first))
    found = [(name, kind, _with_comments(first, lines)) for name, kind, first in found or [(HEAD, "code", 1)]]
    found[0] = (*found[0][:2], 1)  # what stands above it, such as a comment, belongs to it
    ends = [first for _, _, first in found[1:]] + [len(lines) + 1]
    for (name, kind, first), end in zip(found, ends, strict=True):
        yield name, kind, first, end


def _members(node):
    for each in node.body:
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([each.lineno, *(mark.lineno for mark in each.decorator_list)])
            yield each.name, "method", first


def _with_comments(first, lines):
    """A comment right above belongs to what follows it."""
    while first > 1 and lines[first - 2].strip().startswith("#"):
        first -= 1
    return first


def _part(name, kind, first, end, lines):
    some = lines[first - 1 : end - 1]
    while some and not some[-1].strip():
        some.pop()
    return Part(name, kind, first - 1, tuple(some))


def _is_string(node):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
