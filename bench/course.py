"""What the course itself costs: opening JupyterLab, running a chapter, watching an experiment live."""

import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def measure(full):
    """Return rows {what, seconds or share, note}; the chapters, and a cold start, only in full."""
    rows = [*(chapters() if full else ()), *watching(), *opening(cold=full)]
    return {"rows": rows}


def opening(cold):
    """From `make lab` to JupyterLab's first answer; cold means that the environment is made first."""
    for name in ["warm", *(["cold"] if cold else [])]:
        with tempfile.TemporaryDirectory(prefix="evolution-bench-") as folder:
            where = ROOT
            if name == "cold":
                where = Path(folder) / "clone"
                subprocess.run(["git", "clone", "-q", str(ROOT), str(where)], check=True)
            yield {
                "what": f"make lab, {name}, to the first answer",
                "seconds": round(_first_answer(where), 1),
            }


def _first_answer(where):
    fake = "import sys, webbrowser; sys.exit(0)"
    env = dict(os.environ, BROWSER=f"{sys.executable} -c '{fake}' %s", JUPYTER_PREFER_ENV_PATH="1")
    started = time.monotonic()
    process = subprocess.Popen(
        ["make", "-s", "lab"],
        cwd=where,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        for line in process.stdout:
            if "/lab" in line and "token=" in line:
                return time.monotonic() - started
        raise RuntimeError("expected JupyterLab to print its address, it ended first")
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)
        process.stdout.close()


def chapters():
    """Run All of each notebook under nbclient."""
    import nbformat
    from nbclient import NotebookClient

    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        folder = tempfile.mkdtemp(prefix="evolution-bench-")
        try:
            notebook = nbformat.read(path, 4)
            started = time.monotonic()
            NotebookClient(notebook, timeout=60, resources={"metadata": {"path": folder}}).execute()
            yield {"what": f"Run All of {path.stem}", "seconds": round(time.monotonic() - started, 1)}
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def watching(rounds=3):
    """Share of one core that this process needs while it watches an experiment live."""
    from evolution import lab

    for model, crowd in (
        ("blocking", [("silent", 1, {"for": 2.0}), ("polite", 5)]),
        ("epoll_loop", [("keep_alive", 6)]),
        ("epoll_loop", [("idle", 100)]),
    ):
        shares, lags = [], []
        with lab.start(model) as server:
            for _ in range(rounds):
                used, started = time.process_time(), time.monotonic()
                experiment = lab.Experiment(server, crowd, seconds=2.5)
                experiment.subscribe(lambda update, lags=lags: lags.append(update.get("kind")))
                experiment.start()
                while experiment.running:
                    select.select([], [], [], 0.02)
                shares.append((time.process_time() - used) / (time.monotonic() - started))
        clients = sum(group[1] for group in crowd)
        yield {
            "what": f"watching {clients} clients at {model}",
            "share": round(statistics.median(shares), 4),
            "note": f"{len(lags) / rounds:.0f} updates a run",
        }


def table(found):
    """Return the rows as Markdown."""
    lines = ["| what | measured | |", "|---|---|---|"]
    for row in found["rows"]:
        figure = f"{row['share']:.1%} of a core" if "share" in row else f"{row['seconds']} s"
        lines.append(f"| {row['what']} | {figure} | {row.get('note', '')} |")
    return "\n".join(lines)
