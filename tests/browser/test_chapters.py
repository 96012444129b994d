"""The chapters in JupyterLab, run from top to bottom as a learner may do."""

import json

import pytest
from browsing import ROOT

pytestmark = pytest.mark.browser

CHAPTERS = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


@pytest.mark.parametrize("name", CHAPTERS)
def test_all_cells_run(open_notebook, name):
    desk = open_notebook(name)
    desk.run_all(seconds=100)
    cells = [cell for cell in desk.save()["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    for cell in cells:
        if "".join(cell["source"]).startswith("%%exercise"):
            assert "not attempted" in json.dumps(cell["outputs"]), cell["source"]
    desk.picture(name.removesuffix(".ipynb"))
