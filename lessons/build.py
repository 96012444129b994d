"""Build notebooks/*.ipynb from lessons/*.md: python lessons/build.py [--check]

The same lesson always gives the same bytes: no outputs, no execution counts, cell ids made from the
text. With --check nothing is written; the exit status says whether every notebook is fresh.
"""

import hashlib
import json
import sys
from pathlib import Path

import jupytext

LESSONS = Path(__file__).parent
NOTEBOOKS = LESSONS.parent / "notebooks"
EXERCISES = LESSONS.parent / "evolution" / "exercises"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def starter(source):
    """A cell that only names an exercise gets the exercise's own starter: it is written in one place."""
    words = source.split()
    if len(words) != 2 or words[0] != "%%exercise":
        return source
    (path,) = EXERCISES.glob(f"*/{words[1]}/starter.py")
    return f"{source}\n{path.read_text(encoding='utf-8').rstrip()}"


def build(lesson):
    """Return the text of the notebook for one lesson."""
    notebook = jupytext.read(lesson)
    cells = []
    for number, cell in enumerate(notebook.cells):
        source = starter(cell.source) if cell.cell_type == "code" else cell.source
        made = {
            "cell_type": cell.cell_type,
            "id": hashlib.sha256(f"{lesson.stem} {number} {source}".encode()).hexdigest()[:8],
            "metadata": {key: value for key, value in cell.metadata.items() if key == "tags"},
            "source": source.splitlines(keepends=True),
        }
        if cell.cell_type == "code":
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
