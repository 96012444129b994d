"""The answers that ship with an exercise: whole files, or a slip made in one of them.

    wrong/no_option.py       a whole answer
    wrong/no_option.toml     of = "solution.py", and for each [[slip]] what was `right` and what is `wrong`

A long program that is wrong in three lines is told by those three lines: so it stays wrong in nothing else
when the right one is mended.
"""

import tempfile
import tomllib
from contextlib import contextmanager
from pathlib import Path


def answers(task):
    """Return the paths of all: starter, solution, those in right/ and in wrong/."""
    suffix = ".json" if task.kind == "prediction" else ".py"
    found = [task.folder / f"starter{suffix}", task.folder / f"solution{suffix}"]
    for kind in ("right", "wrong"):
        paths = (path for path in task.folder.glob(f"{kind}/*") if path.suffix in (suffix, ".toml"))
        found += sorted(paths, key=lambda path: path.stem)
    return found


def text(path):
    """Return the source of one. Raises ValueError for a slip that is not to be found just once."""
    if path.suffix != ".toml":
        return path.read_text(encoding="utf-8")
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    source = (path.parents[1] / told["of"]).read_text(encoding="utf-8")
    for slip in told["slip"]:
        count = source.count(slip["right"])
        if count != 1:
            raise ValueError(
                f"{path}: expected this once in {told['of']}, it is there {count} times:\n{slip['right']}"
            )
        source = source.replace(slip["right"], slip["wrong"])
    return source


@contextmanager
def as_file(path):
    """Yield a file with the source of one: itself, or a copy with its slips."""
    if path.suffix != ".toml":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="evolution-shipped-") as folder:
        made = Path(folder, f"{path.stem}.py")
        made.write_text(text(path), encoding="utf-8")
        yield made
