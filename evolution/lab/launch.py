"""Start a server in the background: `start(model)` for one of the course's models, `run(command)` for any.

A server is ready when it says so: it prints one line, `listening HOST:PORT`. Waiting for that line is exact;
sleeping "long enough" is neither long enough nor short enough. Port 0 lets Linux choose a free port.
"""

import html
import os
import sys
import threading
from pathlib import Path
from types import ModuleType

import evolution
from evolution.core.address import Address
from evolution.lab import procfs
from evolution.lab import trace as tracing
from evolution.lab.guarded import Guarded, LaunchError

READY_WITHIN = 5.0
"""Seconds a server may take to say that it listens."""


def start(model, *, workers=None, address="tcp://127.0.0.1:0", args=(), timeout=READY_WITHIN, trace=False):
    """Start one of the course's models, given as its module or its name; return it as a Server.

    With `trace`, it runs under strace, several times slower, and `lab.calls(server)` shows its system calls.
    Where that is impossible it runs as ever, and `server.untraced` says why.

    Raises LaunchError for an unknown model, when the server ends before it is ready (with its last words),
    and when it is not ready after `timeout` seconds; AddressError for an impossible address.
    """
    name = model_name(model)
    # -P: a file of the learner's, such as ./select.py, must not stand in for the standard library's. The
    # path makes the server run the same code as this process, installed or not.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-P", "-m", "evolution", "serve", name, str(Address.parse(address))]
    if workers is not None:
        command += ["--workers", str(workers)]
    env = {**os.environ, "PYTHONPATH": path}
    return run([*command, *map(str, args)], model=name, timeout=timeout, env=env, trace=trace)


def run(command, ready="listening", *, model=None, timeout=READY_WITHIN, cwd=None, env=None, trace=False):
    """Start any command that prints the line `listening HOST:PORT` when it is ready; return it as a Server.

    `trace` as for `start`. Raises LaunchError as `start` does.
    """
    command = [str(word) for word in command]
    script = command[1:2] if command[0] == sys.executable else command
    return Server(command, ready, model or Path(*script[:1]).stem, timeout, cwd, env, trace)


def model_name(model):
    """Return the name by which `python -m evolution serve` knows the model. Raises LaunchError."""
    name = model.__name__ if isinstance(model, ModuleType) else str(model)
    name = name.removeprefix("evolution.")
    if name not in evolution.GENERATIONS:
        raise LaunchError(f"expected one of {', '.join(evolution.GENERATIONS)}; not {name!r}")
    return name


class Server(Guarded):
    """A server that runs and is ready; a context manager, and a small card in a notebook."""

    def __init__(
        self,
        command,
        ready="listening",
        model="server",
        timeout=READY_WITHIN,
        cwd=None,
        env=None,
        trace=False,
    ):
        self.model = model
        self.address = None
        """Where it listens, as an Address."""
        self.untraced = tracing.refusal() if trace else "It was started without trace=True."
        """Why there is no trace, in one sentence; "" when there is one."""
        self.trace = None if self.untraced else tracing.Trace(model)
        """Its system calls as they happen, a trace.Trace; None when there is none."""
        self._ready_word = ready
        self._ready = threading.Event()
        command = self.trace.command(command) if self.trace else command
        try:
            super().__init__(command, on_line=self._look_for_address, cwd=cwd, env=env)
        except BaseException:
            self._no_more_pipes()
            raise
        try:
            self._ready.wait(timeout)
            if self.address is None:
                raise LaunchError(self._explain(timeout))
        except BaseException:  # an interrupt too
            self.kill()
            raise
        finally:
            self._no_more_pipes()

    def __repr__(self):
        return f"<Server {self.model} at {self.address}, pid {self.pid}, {self._state()}>"

    def tree(self):
        """Return its processes, the main one first, then the descendants; [] when it is gone."""
        return procfs.tree(self.pid) if self.alive else []

    def _no_more_pipes(self):
        if self.trace:
            self.trace.attached()

    def _look_for_address(self, line):
        if self.address is None and line.startswith(self._ready_word + " "):
            self.address = Address.parse(line.removeprefix(self._ready_word).strip())
            self._ready.set()

    def _finish(self):
        super()._finish()
        self._ready.set()  # nothing more will come

    def _explain(self, timeout):
        expected = f"expected the line '{self._ready_word} HOST:PORT' from {self.model}"
        if self.alive:
            came = f"but {timeout:g} s passed without it (it was stopped again)"
            advice = "does it listen, print that line and flush it?"
        else:
            came = f"but it ended first, {self._end()}"
            advice = "repair what it complains about and start again"
        return f"{expected}, {came}; {self._last_words()}; {advice}"

    def _state(self):
        return "running" if self.alive else f"ended, {self._end()}"

    def _end(self):
        status = self.exit_status
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        state = self._state()
        facts = {"address": str(self.address), "pid": str(self.pid), "state": state}
        text = f"{self.model}: {facts['address']}, pid {self.pid}, {state}"
        cells = "".join(
            f'<span style="color:var(--jp-ui-font-color2)">{key}</span> '
            f'<span style="margin-right:1.5em;font-variant-numeric:tabular-nums">{html.escape(value)}</span>'
            for key, value in facts.items()
        )
        card = (
            '<div class="evolution-server" style="display:inline-block;padding:0.5em 1em;'
            "border:1px solid var(--jp-border-color1,#bdbdbd);border-radius:4px;"
            'color:var(--jp-ui-font-color1,inherit);background:var(--jp-layout-color1,transparent)">'
            f'<strong style="margin-right:1.5em">{html.escape(self.model)}</strong>{cells}</div>'
        )
        return {"text/plain": text, "text/html": card}
