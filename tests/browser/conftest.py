"""Fixtures of the browser tests. Their own session, as Playwright's sync API keeps an event loop running:

.venv/bin/python -m pytest -q -m browser -p no:playwright tests/browser
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from browsing import FLAGS, Desk, Family, Jupyter

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

IN_SHORT = (
    "test_all_cells_run[01_blocking.ipynb]",
    "test_what_is_drawn_is_what_was_recorded[light]",
    "test_a_verdict_its_replay_its_hints_and_the_way_back[light]",
    "test_every_view_in_its_recorded_form[light]",
    "test_rows_lines_and_keys[dark]",
    "test_live_and_true[light]",
    "test_the_diff[dark]",
    "test_the_map[light-lab]",
    "test_the_grid_fills_and_a_click_replays[light]",
    "test_step_through_a_run[dark-False]",
    "test_notebook_7_shows_it_as_well",
)
"""What `make test` runs of these: each view and card once. The rest is marked slow, and CI runs it."""


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("browser") and item.name not in IN_SHORT:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium():
    """Path of a browser; without one the tests are skipped, or fail where nothing may be missing."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing = f"no browser here: expected one of {', '.join(BROWSERS)} (apt-get install chromium)"
        if os.environ.get("EVOLUTION_REQUIRE_TOOLS") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def family(chromium):
    """What knows every process of this session; at its end none is left."""
    family = Family()
    yield family
    family.await_end()


@pytest.fixture(scope="session")
def jupyter(family):
    folder = Path(tempfile.mkdtemp(prefix="evolution-browser-"))  # a socket's path is short, unix(7)
    started = None
    try:
        started = Jupyter(folder, family)
        yield started
    finally:
        if started:
            started.close()
        shutil.rmtree(folder)
        assert not folder.exists()


@pytest.fixture(scope="session")
def browser(chromium, family):
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="evolution-chromium-") as folder, sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=[*FLAGS, *sandbox], env=family.env(TMPDIR=folder, HOME=folder)
        )
        yield launched
        launched.close()


@pytest.fixture
def open_notebook(jupyter, browser):
    """Open a notebook in a page of its own; at the end nothing was complained of and nobody foreign asked."""
    desks = []

    def open_notebook(path, **options):
        desks.append(Desk(jupyter, browser, path, **options))
        return desks[-1]

    yield open_notebook
    for desk in desks:
        desk.close()
    assert [error for desk in desks for error in desk.errors] == []
    assert [url for desk in desks for url in desk.foreign] == []
