"""Build notebooks/*.ipynb from lessons/*.md: python lessons/build.py [--check]

The same lesson always gives the same bytes: no outputs, no execution counts, cell ids made from the
text. With --check nothing is written; the exit status says whether every notebook is fresh.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

import jupytext

LESSONS = Path(__file__).parent
NOTEBOOKS = LESSONS.parent / "notebooks"
EXERCISES = LESSONS.parent / "evolution" / "exercises"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def folder(source):
    """Return the folder of the exercise when a cell only names one, else None."""
    words = source.split()
    if len(words) != 2 or words[0] != "%%exercise":
        return None
    (path,) = EXERCISES.glob(f"*/{words[1]}/starter.py")
    return path.parent


def told(cell):
    """Yield (type, source) of the cells that are made of one.

    One that only names an exercise becomes its task and its starter: both are written in one place.
    """
    path = folder(cell.source) if cell.cell_type == "code" else None
    if path is None:
        yield cell.cell_type, cell.source
        return
    text = tomllib.loads((path / "text.toml").read_text(encoding="utf-8"))
    yield "markdown", f"**Exercise: {text['title']}**\n\n{text['task'].strip()}"
    yield "code", f"{cell.source}\n{(path / 'starter.py').read_text(encoding='utf-8').rstrip()}"


def build(lesson):
    """Return the text of the notebook for one lesson."""
    notebook = jupytext.read(lesson)
    cells = []
    for number, cell in enumerate(notebook.cells):
        tags = {key: value for key, value in cell.metadata.items() if key == "tags"}
        for kind, source in told(cell):
            made = {
                "cell_type": kind,
                "id": hashlib.sha256(f"{lesson.stem} {number} {source}".encode()).hexdigest()[:8],
                "metadata": tags,
                "source": source.splitlines(keepends=True),
            }
            if kind == "code":
                made |= {"execution_count": None, "outputs": []}
            cells.append(dict(sorted(made.items())))
    language = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    document = {
        "cells": cells,
        "metadata": {"kernelspec": KERNEL, "language_info": language},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main(arguments):
    stale = []
    for lesson in sorted(LESSONS.glob("[0-9]*.md")):
        target = NOTEBOOKS / f"{lesson.stem}.ipynb"
        text = build(lesson)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            stale.append(target.name)
            if "--check" not in arguments:
                target.write_text(text, encoding="utf-8")
    strays = {path.stem for path in NOTEBOOKS.glob("*.ipynb")} - {path.stem for path in LESSONS.glob("*.md")}
    if "--check" in arguments and (stale or strays):
        without = f"; without a lesson: {', '.join(strays)}" if strays else ""
        sys.exit(f"not fresh: {', '.join(stale)}{without}; run make notebooks")
    print(f"built {', '.join(stale)}" if stale else "all notebooks are fresh")


if __name__ == "__main__":
    main(sys.argv[1:])
