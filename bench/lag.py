"""How long from an event at a client to its mark in the browser: a panel in JupyterLab, in Chromium."""

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "tests" / part) for part in ("browser", "")]

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
CELLS = (
    "import time\nfrom evolution import blocking, lab\nserver = lab.start(blocking)",
    'crowd = [("polite", 40, {"gap": 0.05, "path": "/slow?seconds=0.02"})]\n'
    "panel = lab.panel(server, crowd, seconds=6)\npanel",
)
WATCH = """() => {
    const seen = window.ends = new Map();
    new MutationObserver(() => {
        for (const lane of document.querySelectorAll('.evo-timeline [data-lane][data-kind=client]')) {
            const end = lane.querySelector('[data-end]'), name = lane.dataset.lane;
            if (end && !seen.has(name)) seen.set(name, [Number(end.dataset.from), Date.now() / 1000]);
        }
    }).observe(document.querySelector('.evo-timeline'), { subtree: true, childList: true });
}"""
EPOCH = "time.time() - time.monotonic() + panel.experiment._epoch"


def measure(full):
    """Return rows {what, ms, p95_ms, events}; raises RuntimeError without Chromium."""
    from browsing import Desk, Family, Jupyter
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    if found is None:
        raise RuntimeError("expected chromium; try apt-get install chromium")
    family, folder = Family(), Path(tempfile.mkdtemp(prefix="evolution-bench-"))
    jupyter = Jupyter(folder, family)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
            name = jupyter.write("lag.ipynb", *CELLS)
            lags = _watch(Desk(jupyter, browser, name))
            browser.close()
    finally:
        jupyter.close()
        shutil.rmtree(folder, ignore_errors=True)
        family.await_end()
    row = {"what": "from the event to its mark", "ms": round(statistics.median(lags) * 1000)}
    return {
        "rows": [row | {"p95_ms": round(sorted(lags)[int(len(lags) * 0.95)] * 1000), "events": len(lags)}]
    }


def _watch(desk):
    for index in (0, 1):
        desk.run_cell(index, index + 1)
    desk.page.wait_for_selector(".evolution-panel .evo-timeline")
    desk.page.evaluate(WATCH)
    desk.page.locator("button.evolution-run").click()
    desk.page.wait_for_function("() => window.ends.size >= 30", timeout=30_000)
    ends = desk.page.evaluate("() => [...window.ends.values()]")
    epoch = desk.ask(EPOCH)
    desk.close()
    return [seen - (float(epoch) + t) for t, seen in ends if seen > float(epoch)]


def table(found):
    """Return the rows as Markdown."""
    lines = ["| what | median | 95 % | events |", "|---|---|---|---|"]
    lines += [f"| {r['what']} | {r['ms']} ms | {r['p95_ms']} ms | {r['events']} |" for r in found["rows"]]
    return "\n".join(lines)
