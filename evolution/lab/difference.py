"""Two texts of a server, read as files, and what the newer one says of the step between them.

Nothing is imported: a model is a file to be read here, and a learner's answer may be half written.
"""

import ast
from pathlib import Path
from types import ModuleType

import evolution

HOME = Path(evolution.__file__).parent


class DifferenceError(ValueError):
    """There is no such text; the message says what was expected and what came."""


def difference(old, new):
    """Return {"old": {"name", "text"}, "new": {…}, "words"} of two texts; `words` is the newer one's account.

    Each is a model (its name or its module), the path of a file, or a pair (name, text). Raises
    DifferenceError for anything else.
    """
    old, new = read(old), read(new)
    return {"old": old, "new": new, "words": words(old["name"], new["name"], new["text"])}


def read(source):
    """Return {"name", "text"} of one of the two. Raises DifferenceError."""
    if isinstance(source, tuple) and len(source) == 2 and all(isinstance(each, str) for each in source):
        return {"name": source[0], "text": source[1]}
    name = source.__name__ if isinstance(source, ModuleType) else str(source)
    name = name.removeprefix("evolution.")
    path = HOME / f"{name}.py" if name in evolution.GENERATIONS else Path(name)
    try:
        return {"name": path.stem, "text": path.read_text(encoding="utf-8")}
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a null byte in the path
        models = ", ".join(evolution.GENERATIONS)
        why = getattr(error, "strerror", None) or type(error).__name__
        raise DifferenceError(
            f"expected a model ({models}), the path of a file, or a pair (name, text); "
            f"not {name[:60]!r}: {why}"
        ) from None


def words(old, new, text):
    """Return what the docstring in `text` says has changed since `old`; else by which models one gets there.

    "" when neither is known, as between two answers of a learner.
    """
    for paragraph in docstring(text).split("\n\n"):
        if paragraph.startswith(f"Changed since {old}:"):
            return _whole(" ".join(paragraph.split()))
    way = _way(old, new)
    return f"Not one step but {len(way) - 1}: {', '.join(way)}." if len(way) > 2 else ""


def _whole(said):
    """Leave out a last sentence that only announces a list."""
    return said.rpartition(". ")[0] + "." if said.endswith(":") and ". " in said else said


def docstring(text):
    """Return the docstring of a module's text; "" when it has none or is not Python yet."""
    try:
        return ast.get_docstring(ast.parse(text)) or ""
    except (SyntaxError, ValueError):
        return ""


def _way(old, new):
    """Return the models from `old` to `new`, each changed since the one before; [] when there is no way."""
    if not {old, new} <= set(evolution.GENERATIONS):
        return []
    way = [new]
    while way[0] != old:
        said = docstring((HOME / f"{way[0]}.py").read_text(encoding="utf-8"))
        before = said.partition("Changed since ")[2].split(":")[0]
        if before not in evolution.GENERATIONS:
            return []
        way.insert(0, before)
    return way
