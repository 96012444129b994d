"""A real JupyterLab, a real Chromium, and one notebook in it: what the browser tests are told with.

Readiness is read off facts: the server's own file, the status line, prompt numbers. Nothing sleeps
"long enough".
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient
from serving import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
OUT = ROOT / ".ci" / "out"
AXE = OUT / "node_modules" / "axe-core" / "axe.min.js"

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

QUIET = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
"""JupyterLab asks whether it may fetch news: not in a test, and it would be a foreign request."""

NEAR = {"127.0.0.1", "localhost", None}
"""Hosts that a page may talk to; data: and blob: have none."""


FAILED = ".jp-OutputArea-output:has-text('Traceback (most recent call last)')"
"""What a cell's error looks like."""

NOISE = {
    "lab": "^$",
    # Notebook 7's own: two complaints about any page, and a font of the same name as Lab's that
    # jupyter_server has cached under Lab's path ("is not in root static directory").
    "notebook": r"reading 'schema'|Command 'filebrowser:open-path' not registered"
    r"|403 \(Forbidden\) \S+/static/notebook/\w+\.woff2$",
}
"""Complaints that are not ours, as regular expressions."""


class Leftover(AssertionError):
    """A process or a folder is left behind."""


class Family:
    """All processes that a test session starts outside of Python, known by a mark in their environment."""

    def __init__(self):
        self.name, self.value = "EVOLUTION_BROWSER_MARK", uuid.uuid4().hex

    def env(self, **more):
        return {**os.environ, self.name: self.value, **more}

    def pids(self):
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if f"{self.name}={self.value}".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
        return found

    def await_end(self):
        """Wait until none is left; kill and name the ones that stay."""
        deadline = time.monotonic() + PATIENCE
        while left := self.pids():
            if time.monotonic() > deadline:
                named = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")[:200] for pid in left]
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                raise Leftover(f"left behind: {named}")
            time.sleep(0.05)


class Jupyter:
    """JupyterLab on a free port over a copy of notebooks/, with folders of its own for everything."""

    def __init__(self, folder, family):
        self.folder, self.files = folder, folder / "work" / "notebooks"
        shutil.copytree(ROOT / "notebooks", self.files, ignore=shutil.ignore_patterns("answers", ".*"))
        self.settings = folder / "settings"
        config = folder / "config"
        (config / "labconfig").mkdir(parents=True)
        (config / "labconfig" / "page_config.json").write_text(json.dumps(QUIET))
        env = family.env(
            HOME=str(folder),
            JUPYTER_CONFIG_DIR=str(config),
            JUPYTER_DATA_DIR=str(folder / "data"),
            JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
            JUPYTERLAB_SETTINGS_DIR=str(self.settings),
            JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
            IPYTHONDIR=str(folder / "ipython"),
            PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        )
        options = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--IdentityProvider.token=t"]
        self.log = (folder / "jupyter.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={self.files}"],
            env=env,
            cwd=self.files,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        info = folder / "runtime" / f"jpserver-{self.process.pid}.json"
        told = eventually(lambda: self._alive() and info.exists() and info.read_text(), "JupyterLab's file")
        self.url = json.loads(told)["url"]
        eventually(lambda: self.api("status"), "an answer of JupyterLab")

    def _alive(self):
        assert self.process.poll() is None, (self.folder / "jupyter.log").read_text()[-2000:]
        return True

    def api(self, path):
        request = urllib.request.Request(f"{self.url}api/{path}", headers={"Authorization": "token t"})
        with suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def set(self, plugin, **values):
        """Write a user's setting, as the settings editor does."""
        package, name = plugin.split(":")
        path = self.settings / package / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def write(self, name, *cells):
        """Make a notebook of code cells; return its name."""
        code = [
            {
                "cell_type": "code",
                "id": f"cell{i}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for i, source in enumerate(cells)
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        document = {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.files / name).write_text(json.dumps(document))
        return name

    def kernel(self, path):
        """Return a client of the kernel behind an open notebook."""
        (session,) = [each for each in self.api("sessions") if each["path"] == path]
        client = BlockingKernelClient()
        client.load_connection_file(str(self.folder / "runtime" / f"kernel-{session['kernel']['id']}.json"))
        client.start_channels(hb=False)  # a busy machine misses beats, and the client would give up
        return client

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.log.close()


class Desk:
    """One notebook open in one page, and everything wrong that the page said meanwhile."""

    def __init__(self, jupyter, browser, path, theme="light", interface="lab", viewport=(1280, 1400)):
        self.jupyter, self.path, self.interface = jupyter, path, interface
        self.errors, self.foreign = [], []
        name = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[theme]
        jupyter.set("@jupyterlab/apputils-extension:themes", theme=name)
        self.context = browser.new_context(viewport={"width": viewport[0], "height": viewport[1]})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on(
            "console",
            lambda said: said.type == "error" and self._complain(f"{said.text} {said.location['url']}"),
        )
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("request", lambda request: self._look_at(request.url))
        self.page.on("websocket", lambda socket: self._look_at(socket.url))
        where = {"lab": f"lab/tree/{path}?token=t&reset", "notebook": f"notebooks/{path}?token=t"}[interface]
        self.page.goto(f"{jupyter.url}{where}")
        self.page.wait_for_selector(".jp-NotebookPanel-toolbar")
        self._await_kernel()
        self.client = jupyter.kernel(path)

    def _complain(self, text):
        if not re.search(NOISE[self.interface], text):
            self.errors.append(text)

    def _look_at(self, url):
        if urllib.parse.urlparse(url).hostname not in NEAR:
            self.foreign.append(url)

    def _await_kernel(self):
        """The execution indicator says idle before there is a kernel, and Run All would be lost."""
        if self.interface == "lab":
            self.page.wait_for_selector("#jp-bottom-panel :text('| Idle')")
        else:
            eventually(
                lambda: [s for s in self.jupyter.api("sessions") if s["path"] == self.path], "a session"
            )
            self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")

    # --- what a learner does ---

    def menu(self, name, entry):
        self.page.locator(".lm-MenuBar-item").get_by_text(name, exact=True).click()
        self.page.locator(".lm-Menu-item", has_text=re.compile(f"^{re.escape(entry)}")).first.click()

    def run_all(self, seconds=60):
        """Run every cell of a fresh kernel; wait until the last has its number. Fails with a cell's error."""
        cells = json.loads((self.jupyter.files / self.path).read_text())["cells"]
        count = sum(cell["cell_type"] == "code" and bool(cell["source"]) for cell in cells)
        self.menu("Run", "Run All Cells")
        self.await_number(count, seconds)

    def run_cell(self, index, number=None):
        """Run one cell; wait until it has its number, if one is given."""
        self.page.locator(".jp-CodeCell .jp-InputArea-editor").nth(index).click()
        self.page.keyboard.press("Shift+Enter")
        if number:
            self.await_number(number)

    def await_number(self, number, seconds=PATIENCE):
        prompt = self.page.locator(".jp-InputPrompt", has_text=re.compile(rf"\[{number}\]"))
        failed = self.page.locator(FAILED)
        prompt.or_(failed).first.wait_for(timeout=seconds * 1000)
        assert not failed.count(), failed.first.text_content()

    def save(self):
        """Save the notebook; return the document as it is on the disk then."""
        file = self.jupyter.files / self.path
        before = file.stat().st_mtime_ns
        self.menu("File", "Save Notebook")
        eventually(lambda: file.stat().st_mtime_ns != before, f"{self.path} saved")
        return eventually(lambda: self._whole(file), "a whole document")

    @staticmethod
    def _whole(file):
        with suppress(ValueError):
            return json.loads(file.read_text())

    def violations(self, selector):
        """Return what axe-core says against WCAG 2.2 AA in the elements: [(rule, why, element)].

        Skips the test without axe-core (`npm install --prefix .ci/out axe-core`), or fails where nothing may
        be missing.
        """
        if not AXE.exists():
            missing = f"no axe-core here: npm install --prefix {AXE.parents[2].relative_to(ROOT)} axe-core"
            (pytest.fail if os.environ.get("EVOLUTION_REQUIRE_TOOLS") == "1" else pytest.skip)(missing)
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        found = self.page.evaluate("([where, rules]) => axe.run(where, rules)", [selector, rules])
        assert found["passes"], f"axe-core has found nothing to look at in {selector}"
        return [
            (each["id"], (node["any"] or node["all"] or node["none"])[0]["message"][:200], node["html"][:200])
            for each in found["violations"]
            for node in each["nodes"]
        ]

    def picture(self, name, selector=None):
        """Keep a picture in .ci/out, of the page or of one element."""
        OUT.mkdir(parents=True, exist_ok=True)
        what = self.page.locator(selector).first if selector else self.page
        what.screenshot(path=OUT / f"{name}.png")

    # --- the other witness ---

    def ask(self, expression):
        """Return the value of a Python expression in the notebook's kernel, by way of JSON."""
        printed = []
        reply = self.client.execute_interactive(
            f"print(__import__('json').dumps({expression}))",
            store_history=False,
            timeout=PATIENCE,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return json.loads("".join(printed))

    def close(self):
        self.client.stop_channels()
        self.context.close()
        for session in self.jupyter.api("sessions"):
            request = urllib.request.Request(
                f"{self.jupyter.url}api/sessions/{session['id']}",
                method="DELETE",
                headers={"Authorization": "token t"},
            )
            urllib.request.urlopen(request, timeout=PATIENCE).close()
