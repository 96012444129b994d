"""What axe-core says of every view in its recorded form, in both themes; of panels: test_panel.py."""

import pytest

pytestmark = pytest.mark.browser

VIEWS = """
from IPython.display import display
from evolution import lab, views
from evolution.course.overview import Map
for name in views.__all__:
    display({"Diff": lambda: lab.diff("fork", "threads"), "Map": Map}.get(name, getattr(views, name))())
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_in_its_recorded_form(jupyter, open_notebook, theme):
    desk = open_notebook(jupyter.write(f"all-{theme}.ipynb", VIEWS), theme=theme)
    desk.run_all()
    expected = desk.ask("views.__all__")
    desk.page.wait_for_function(
        "n => document.querySelectorAll('.evo .evo-sentence').length >= n", arg=len(expected)
    )
    assert desk.violations(".evo") == []
    desk.picture(f"all-views-{theme}")
