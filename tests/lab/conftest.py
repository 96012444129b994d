"""Fixtures for tests that start processes: what they start is gone afterwards, zombies included."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from experimenting import LINE

from evolution.lab import launch, procfs
from evolution.lab.experiment import Experiment
from evolution.lab.guard import PR_SET_CHILD_SUBREAPER, prctl

GONE_WITHIN = 10.0
"""Seconds after which a process that should be gone is called left behind. It takes 0.1 s, or 1.5 s when
Jupyter is killed and the kernel has to notice; the rest is for a busy machine."""


class Orphanage:
    """Adopts what the test's processes leave behind, as a normal PID 1 would: that of Binder never does."""

    def reap(self):
        """Take the exit status of every zombie among our children."""
        for pid in procfs.children(os.getpid()):
            process = procfs.process(pid)
            if process is not None and process.state == "Z":
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def await_end(self, pids, port=None):
        """Wait until no pid of `pids` exists and nobody listens on `port`; fail with what is left."""
        deadline = time.monotonic() + GONE_WITHIN
        while True:
            self.reap()
            left = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
            queue = procfs.listen_queue(port) if port else None
            if not left and queue is None:
                return
            if time.monotonic() > deadline:
                shown = [
                    (found.pid, found.ppid, found.name, found.state)
                    for found in filter(None, map(procfs.process, left))
                ]
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self.reap()
                pytest.fail(f"left behind after {GONE_WITHIN:g} s: {shown}, port {port}: {queue}")
            time.sleep(0.01)


@pytest.fixture
def orphanage():
    """The test process becomes the reaper of its descendants' orphans; at the end none is left."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield Orphanage()
    finally:
        Orphanage().reap()
        prctl(PR_SET_CHILD_SUBREAPER, 0)


@pytest.fixture
def server():
    """A running one that takes one client at a time."""
    with launch.run([sys.executable, "-c", LINE], model="line") as server:
        yield server


@pytest.fixture
def begin():
    """Start an experiment; whatever happens, it is stopped at the end."""
    begun = []

    def begin(*args, **options):
        experiment = Experiment(*args, **options)
        begun.append(experiment)
        experiment.start()
        return experiment

    yield begin
    for experiment in begun:
        experiment.stop()
