"""The measuring process as seen from here: what it is told to do, and what it has found."""

import json
import sys

from evolution.lab.guarded import Guarded

YARDSTICK = [sys.executable, "-P", "-m", "evolution.lab.yardstick"]


class MeasureError(RuntimeError):
    """A model could not be measured; the message says what was expected and what came."""


class Yardstick:
    """A measuring process at work on a server; `heard(step, found)` is told of each step as it ends."""

    def __init__(self, server, steps, heard=None):
        self.found = {}
        self._heard = heard
        self._who = server.model
        plan = {"port": server.address.port, "pid": server.pid, "steps": steps}
        self._process = Guarded(YARDSTICK, stdin=json.dumps(plan).encode() + b"\n", on_line=self._hear)

    def _hear(self, line):
        found = json.loads(line)
        step = found.pop("step")
        self.found[step] = found
        if self._heard:
            self._heard(step, found)

    def wait(self, timeout):
        """Wait up to `timeout` seconds for its end."""
        return self._process.wait(timeout)

    def result(self, timeout):
        """Return {step: what was found}. Raises MeasureError for a step that failed, or took too long."""
        self.wait(timeout)
        self.close()
        failed = [f"{step}: {each['error']}" for step, each in self.found.items() if "error" in each]
        if self._process.exit_status != 0 or failed:
            why = "; ".join(failed) or self._process.last_words.strip()[-300:] or f"silence for {timeout:g} s"
            raise MeasureError(f"expected figures of {self._who}, but {why}; measure it again")
        return self.found

    def close(self):
        self._process.kill()


def kib(amount):
    """Return KiB in words, two significant digits: "0.4 KiB", "20 KiB", "1.7 MiB"."""
    for unit in ("KiB", "MiB"):
        if amount < 995 or unit == "MiB":
            rounded = float(f"{amount:.2g}")
            return f"{rounded:.1f} {unit}" if rounded < 10 else f"{rounded:.0f} {unit}"
        amount /= 1024
    raise AssertionError("unreachable")


def stamp(machine):
    """Return what a figure is to be read with: "Linux 6.18.0, 2 cores, Python 3.11.7, 2026-11-24"."""
    cores = "1 core" if machine["cores"] == 1 else f"{machine['cores']} cores"
    return f"{machine['kernel']}, {cores}, Python {machine['python']}, {machine['date']}"
