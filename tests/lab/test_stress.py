"""Hygiene under stress: fifty times a server and a crowd, and then kill -9 for one of those who keep order.

Which part dies, and of which model, comes from a seed that is printed; EVOLUTION_STRESS_SEED repeats a run.
Every time 0 processes, 0 listening ports and 0 temporary files are left. The processes are known by a mark
in their environment, so that nothing else on the machine is meant; zombies count as left, which is why the
test process buries orphans as a normal PID 1 does (that of Binder never would).
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from serving import eventually

from evolution.lab import trace as tracing

pytestmark = [
    pytest.mark.xdist_group("stress"),  # it measures nothing, but two of it would double the load
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

TIMES = 50
SEED = int(os.environ.get("EVOLUTION_STRESS_SEED", random.SystemRandom().randrange(10**6)))

MODELS = ("blocking", "fork", "threads", "prefork", "epoll_loop", "reactor", "multireactor")
PARTS = ("server", "worker", "probe", "guard", "probe's guard", "strace", "kernel")

# What a notebook's kernel does: it starts servers and crowds, and is told which when one is over.
KERNEL = """
import json, sys, time
from evolution.lab import launch
from evolution.lab.experiment import Experiment
for line in sys.stdin:
    model, traced = json.loads(line)
    with launch.start(model, trace=traced) as server:
        crowd = [("idle", 20), ("polite", 5), ("keep_alive", 3)]
        experiment = Experiment(server, crowd, seconds=20)
        experiment.start()
        while not experiment.xray or len(experiment.xray["connections"]) < 10:
            time.sleep(0.005)  # until the crowd is there
        tracer = 0
        if traced:
            status = open(f"/proc/{server.pid}/status").read()
            tracer = int(status.partition("TracerPid:")[2].split()[0])
        parts = {"server": [server.pid], "worker": [p.pid for p in server.tree()[1:]],
                 "probe": [experiment._probe.pid], "guard": [server.guard_pid],
                 "probe's guard": [experiment._probe.guard_pid], "strace": [tracer] if tracer else []}
        print(json.dumps({"parts": parts, "port": server.address.port}), flush=True)
        sys.stdin.readline()
        experiment.stop()
        assert experiment.wait(20)
    print("over", flush=True)
"""


class Kernel:
    """A process that does what a notebook's kernel does, with a folder for temporary files of its own."""

    def __init__(self, folder):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.mark = uuid.uuid4().hex
        env = {**os.environ, "EVOLUTION_TEST_MARK": self.mark, "TMPDIR": str(self.folder)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", KERNEL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )

    def tell(self, words):
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"seed {SEED}: the kernel ended: {self.process.stderr.read()[-2000:]}")
        return line

    def family(self):
        """The pids of everything that this kernel has started."""
        return [pid for pid in marked(self.mark) if pid != self.process.pid]

    def close(self):
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(BrokenPipeError):
                pipe.close()
        self.process.wait()


def marked(mark):
    """The pids whose environment carries the mark; a zombie has none any more."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def choose(dice):
    """Which model runs, whether it is traced, and which part is to die."""
    model, part = dice.choice(MODELS), dice.choice(PARTS)
    return model, part == "strace" or dice.random() < 0.2, part


@pytest.mark.timeout(300)
def test_whoever_is_killed_nothing_is_left(orphanage, tmp_path):
    print(f"EVOLUTION_STRESS_SEED={SEED}")
    dice, kernel, died = random.Random(SEED), Kernel(tmp_path), []
    may_trace = not tracing.refusal()
    try:
        for _ in range(TIMES):
            model, traced, part = choose(dice)
            kernel.tell(json.dumps([model, traced and may_trace]))
            told = json.loads(kernel.hear())
            victims = [kernel.process.pid] if part == "kernel" else told["parts"][part]
            victim = dice.choice(victims or told["parts"]["server"])  # a blocking server has no worker
            died.append((model, part, victim))
            family = kernel.family()
            os.kill(victim, signal.SIGKILL)
            if part == "kernel":
                kernel.close()
            else:
                kernel.tell("go on")
                assert kernel.hear() == "over\n"
            orphanage.await_end(family, told["port"])
            eventually(lambda k=kernel: not k.family(), f"nobody left after {died[-1]}, seed {SEED}")
            assert list(kernel.folder.iterdir()) == [], f"seed {SEED}: files left after {died[-1]}"
            if part == "kernel":
                kernel = Kernel(tmp_path)
    finally:
        kernel.close()
        orphanage.reap()
    assert marked(kernel.mark) == []
    print(*died, sep="\n")
