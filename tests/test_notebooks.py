"""The notebooks: fresh, well-formed, run from top to bottom; and a panel driven as a browser drives it."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient
from serving import PATIENCE

from evolution.course import exercise

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_LINES = 8
MOST_LETTERS = 600
"""Of a paragraph: five lines of some 110 letters, and a little more for links."""


def read(path):
    return nbformat.read(path, as_version=4)


def named(path):
    return path.stem


# --- what a notebook looks like ---


def test_every_notebook_is_built_from_its_lesson():
    build = [sys.executable, str(ROOT / "lessons" / "build.py"), "--check"]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_cells_are_short_and_define_nothing(path):
    for cell in read(path).cells:
        if cell.cell_type != "code" or cell.source.startswith(("%%exercise", "%%fool")):
            continue
        lines = cell.source.splitlines()
        assert len(lines) <= MOST_LINES, cell.source
        assert not [line for line in lines if line.lstrip().startswith(("def ", "class "))], cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_the_whole_task_stands_before_each_exercise(path):
    cells = read(path).cells
    for before, cell in pairwise(cells):
        if cell.source.startswith("%%exercise"):
            name = cell.source.split()[1]
            assert before.cell_type == "markdown"
            assert before.source.endswith(exercise.load(name).text["task"].strip())
            assert cell.source.endswith(exercise.load(name).read("starter.py").rstrip())


def test_every_exercise_has_its_cell():
    sources = "\n".join(cell.source for path in NOTEBOOKS for cell in read(path).cells)
    for name, task in exercise.catalogue().items():
        call = f'predict("{name}")' if task.kind == "prediction" else f"%%exercise {name}\n"
        assert sources.count(call) == 1, name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_paragraphs_are_short(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            paragraphs = re.split(r"\n\n|\n(?=- |\d+\. )", cell.source)
            long = [text for text in paragraphs if len(text) > MOST_LETTERS]
            assert long == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_a_notebook_has_no_outputs(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells and all(cell.outputs == [] and cell.execution_count is None for cell in cells)


# --- running ---


class Kernel:
    """A kernel over ipc, known with all its family by a mark in the environment."""

    def __init__(self, folder, cwd):
        self.mark = f"EVOLUTION_TEST_MARK={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.env = {**os.environ, name: value, "PYTHONPATH": path, "IPYTHONDIR": str(folder)}
        self.cwd = cwd
        self.manager = KernelManager(
            transport="ipc", ip=f"{folder}/k", connection_file=f"{folder}/kernel.json"
        )

    def start(self):
        self.manager.start_kernel(cwd=str(self.cwd), env=self.env)
        client = self.manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        return client

    def family(self):
        pids = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if self.mark.encode() in path.read_bytes():
                    pids.append(int(path.parent.name))
        return pids

    def await_end(self):
        """Wait until the whole family is gone; fail with what is left."""
        deadline = time.monotonic() + PATIENCE
        while left := self.family():
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.02)


@pytest.fixture
def kernel(tmp_path):
    """A kernel that is not started yet; at the end nothing of it is left."""
    with tempfile.TemporaryDirectory(prefix="k-") as folder:  # a socket's path is short, unix(7)
        made = Kernel(folder, tmp_path)
        yield made
        if made.manager.has_kernel:
            made.manager.shutdown_kernel()
        made.await_end()


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_a_notebook_runs_from_top_to_bottom(path, kernel):
    document = read(path)
    runner = NotebookClient(document, km=kernel.manager, timeout=30)
    runner.execute(env=kernel.env, cwd=str(kernel.cwd))
    cells = [cell for cell in document.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        shown = [output.data for output in cell.outputs if "data" in output]
        for data in shown:  # each view and card can be read without its widget
            if "application/vnd.jupyter.widget-view+json" in data:
                assert len(data["text/plain"]) > 20 and "model_id" not in data["text/plain"], cell.source
                assert {"image/svg+xml", "text/html"} & set(data), cell.source
        if cell.source.startswith("%%exercise"):
            assert any("not attempted" in data["text/plain"] for data in shown), cell.source
        if "lab.xray(" in cell.source:
            assert any("Listening socket" in data["text/plain"] for data in shown), cell.source
        if "lab.show(" in cell.source:
            assert any("lients;" in data["text/plain"] for data in shown), cell.source


PANEL = """
from evolution import blocking, lab
server = lab.start(blocking)
panel = lab.panel(server, [("silent", 1, {"for": 0.3}), ("polite", 3)], seconds=5)
"""
FACTS = """
print(__import__("json").dumps({
    "run": panel.run.model_id, "polite": panel.clients["polite"].model_id, "port": server.address.port,
}))
"""


class Frontend:
    """What a browser says to a kernel: comm messages on the shell channel."""

    def __init__(self, client):
        self.client = client

    def execute(self, code):
        printed = []
        reply = self.client.execute_interactive(
            code,
            timeout=PATIENCE,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed)

    def say(self, model, data):
        content = {"comm_id": model, "data": data}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def click(self, model):
        self.say(model, {"method": "custom", "content": {"event": "click"}})

    def set(self, model, **state):
        self.say(model, {"method": "update", "state": state, "buffer_paths": []})

    def heard(self, until):
        """Return the (comm, data) of all messages up to the one for which until(comm, data) is true."""
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["msg_type"] == "comm_msg":
                content = message["content"]
                messages.append((content["comm_id"], content["data"]))
                if until(*messages[-1]):
                    return messages


@pytest.mark.notebook
def test_a_panel_obeys_the_messages_of_a_browser(kernel):
    client = kernel.start()
    try:
        frontend = Frontend(client)
        frontend.execute(PANEL)
        facts = json.loads(frontend.execute(FACTS))
        frontend.set(facts["polite"], value=4)
        frontend.click(facts["run"])
        seen = []

        def ended(model, data):
            """Run is disabled while it goes on, and enabled again."""
            if model == facts["run"] and "disabled" in data.get("state", {}):
                seen.append(data["state"]["disabled"])
            return seen[-1:] == [False]

        messages = frontend.heard(ended)
        assert seen == [True, False]
        updates = [data["content"] for _, data in messages if data["method"] == "custom"]
        assert {update["kind"] for update in updates} == {"timeline"}
        assert updates[-1]["running"] is False
        lanes = json.loads(frontend.execute("print(__import__('json').dumps(panel.timeline.state['lanes']))"))
        assert [lane["label"] for lane in lanes] == ["silent 1", *(f"polite {n}" for n in range(1, 5))]
        assert {lane["end"]["state"] for lane in lanes[1:]} == {"done"}
    finally:
        client.stop_channels()
    kernel.manager.shutdown_kernel()
    kernel.await_end()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", facts["port"]), PATIENCE)
