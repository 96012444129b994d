"""No process left behind: real kernels and a real Jupyter are interrupted, restarted and killed.

Each test looks at facts: the pids that there were, those whose environment carries its mark, and the port.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from serving import PATIENCE, eventually

from evolution.lab import procfs

ROOT = Path(__file__).parents[2]

START = {
    "a daemon": f"launch.run([sys.executable, {str(Path(__file__).with_name('daemonic.py'))!r}])",
    "prefork": "launch.start('prefork', workers=2)",
}
FAMILY = {"a daemon": 5, "prefork": 4}

TELL = """
import json, sys, time
from evolution.lab import launch, procfs
server, family = {}, []
while len(family) < {}:
    time.sleep(0.01)
    family = [process.pid for process in procfs.tree(server.guard_pid)]
print(json.dumps(dict(family=family, server=server.pid, port=server.address.port)))
"""


class Running:
    """What a cell has started, and the mark by which everything below the kernel is known."""

    def __init__(self, client, what, mark):
        self.mark = mark
        told = json.loads(execute(client, TELL.format(START[what], FAMILY[what])))
        self.family, self.server, self.port = told["family"], told["server"], told["port"]
        assert set(self.family) <= set(marked(mark))

    def await_end(self, orphanage, others=()):
        orphanage.await_end([*self.family, *others], self.port)


def execute(client, code):
    """Run one cell; return what it printed."""
    printed = []

    def keep(message):
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=PATIENCE, output_hook=keep)
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(printed)


def marked(mark):
    """The pids whose environment carries the mark."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes():
                pids.append(int(path.parent.name))
    return pids


def marking():
    """An environment that a whole family of processes inherits and nobody else has."""
    mark = f"EVOLUTION_TEST_MARK={uuid.uuid4().hex}"
    name, _, value = mark.partition("=")
    return mark, {**os.environ, name: value}


@pytest.fixture
def kernel(orphanage):
    """(manager, client, mark) of a running kernel."""
    mark, env = marking()
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short, unix(7): not below tmp_path
        manager = KernelManager(transport="ipc", ip=f"{folder}/k", connection_file=f"{folder}/k.json")
        manager.start_kernel(cwd=str(ROOT), env=env | {"IPYTHONDIR": folder})
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=PATIENCE)
            yield manager, client, mark
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            orphanage.await_end(marked(mark))


@pytest.mark.parametrize("what", START)
def test_an_interrupt_stops_the_cell_and_not_the_server(kernel, what):
    manager, client, mark = kernel
    running = Running(client, what, mark)
    # stop_on_error would make the kernel drop the next cell if it comes too soon after the interrupt
    cell = "import time\nprint('busy', flush=True)\ntime.sleep(600)"
    request = client.execute(cell, stop_on_error=False)
    while client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=PATIENCE)
    assert reply["parent_header"]["msg_id"] == request
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert json.loads(execute(client, "print(json.dumps([server.alive, len(server.tree())]))"))[0] is True
    assert {procfs.process(pid).state for pid in running.family} <= {"S", "R"}
    assert procfs.listen_queue(running.port) is not None


@pytest.mark.parametrize("what", START)
@pytest.mark.parametrize("now", [False, True], ids=["in order", "at once"])
def test_a_restart_leaves_nothing(kernel, what, now, orphanage):
    manager, client, mark = kernel
    running = Running(client, what, mark)
    manager.restart_kernel(now=now)
    running.await_end(orphanage)
    client.wait_for_ready(timeout=PATIENCE)
    assert len(marked(mark)) == 1  # the new kernel


@pytest.mark.parametrize("what", START)
@pytest.mark.parametrize("now", [False, True], ids=["in order", "at once"])
def test_a_shutdown_leaves_nothing(kernel, what, now, orphanage):
    manager, client, mark = kernel
    running = Running(client, what, mark)
    manager.shutdown_kernel(now=now)
    running.await_end(orphanage)
    assert marked(mark) == []


@pytest.mark.parametrize("what", START)
def test_a_killed_kernel_leaves_nothing(kernel, what, orphanage):
    manager, client, mark = kernel
    running = Running(client, what, mark)
    os.kill(manager.provisioner.pid, signal.SIGKILL)
    eventually(lambda: not manager.is_alive(), "the kernel's end")
    running.await_end(orphanage)
    assert marked(mark) == []


class Lab:
    """A real JupyterLab with a kernel made through its REST API."""

    def __init__(self, folder, env):
        self.runtime = folder / "runtime"
        env |= {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
        env |= {"JUPYTER_RUNTIME_DIR": str(self.runtime), "HOME": str(folder)}
        options = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--IdentityProvider.token=t"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={ROOT}"],
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.client = None

    def open(self):
        """Wait until it answers, make a kernel, and connect to it; return the client."""
        info = self.runtime / f"jpserver-{self.process.pid}.json"
        self.url = eventually(
            lambda: info.exists() and info.read_text() and json.loads(info.read_text()), info
        )
        eventually(lambda: self.ask("api/status"), "an answer of JupyterLab")
        model = {"path": "x.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        session = self.ask("api/sessions", model)
        self.client = BlockingKernelClient()
        self.client.load_connection_file(str(self.runtime / f"kernel-{session['kernel']['id']}.json"))
        self.client.start_channels(hb=False)  # a busy machine misses beats, and the client would give up
        self.client.wait_for_ready(timeout=PATIENCE)
        return self.client

    def ask(self, path, body=None):
        request = urllib.request.Request(
            self.url["url"] + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "token t", "Content-Type": "application/json"},
        )
        with suppress(urllib.error.URLError), urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def close(self):
        if self.client:
            self.client.stop_channels()
        self.process.kill()
        self.process.wait(PATIENCE)


@pytest.fixture
def lab(orphanage, tmp_path):
    mark, env = marking()
    started = Lab(tmp_path, env)
    try:
        yield started, started.open(), mark
    finally:
        pids = marked(mark)
        started.close()
        for pid in pids:  # a kernel that is still starting waits for a parent with pid 1 only
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        orphanage.await_end(pids)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_the_end_of_jupyter_leaves_nothing(lab, number, orphanage):
    jupyter, client, mark = lab
    running = Running(client, "a daemon", mark)
    kernels = [pid for pid in marked(mark) if pid not in running.family and pid != jupyter.process.pid]
    jupyter.process.send_signal(number)
    jupyter.process.wait(PATIENCE)
    began = time.monotonic()
    running.await_end(orphanage, others=kernels)
    print(f"all gone {time.monotonic() - began:.2f} s after the end of Jupyter")
    assert marked(mark) == []
