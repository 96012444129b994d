"""The servers that are measured: the course's models and their peers, each started on a core of its own."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import machine
from evolution import GENERATIONS
from evolution.lab.guard import PR_SET_PDEATHSIG, prctl

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
VENV = Path(__file__).parent / ".venv"
READY_WITHIN = 15.0
"""Seconds that a server may take until it listens."""


class Missing(Exception):
    """This peer cannot run here; the message says what is lacking."""


class Kind(NamedTuple):
    """A server that can be measured. `command` takes (workers, directory) and returns the arguments."""

    name: str
    title: str
    command: object
    announces: bool = True
    """It prints `listening HOST:PORT`; if not, a port is chosen for it and tried."""


class Server:
    """A running server: `pid`, `port`. A context manager that ends it by its pid, its descendants too."""

    def __init__(self, kind, workers=None, cores=None, options=()):
        self.kind = kind
        self.name = kind.name
        self.directory = tempfile.mkdtemp(prefix="bench-")
        self.log = open(f"{self.directory}/stderr", "w+b")
        self.port = 0 if kind.announces else _free_port()
        try:
            command = kind.command(workers, self) + list(options)
        except BaseException:
            self._forget()
            raise
        cores = {machine.SERVER_CORE} if cores is None else set(cores)
        self.process = subprocess.Popen(
            command,
            cwd=PEERS if str(PEERS) in " ".join(command) else ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            start_new_session=True,
            preexec_fn=partial(_in_child, cores, os.getpid()),
        )
        self.pid = self.process.pid
        try:
            self._await()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def cpu(self):
        return machine.cpu_seconds(self.pid)

    def stop(self):
        members = machine.tree(self.pid)
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2.0)
        for member in members:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self._forget()

    def _forget(self):
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _await(self):
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.kind.announces:
                if select.select([self.process.stdout], [], [], 0.1)[0]:
                    line = os.read(self.process.stdout.fileno(), 200).decode()
                    if line.startswith("listening "):
                        self.port = int(line.split(":")[1].split()[0])
                        return
            elif _listens(self.port):
                return
            else:
                time.sleep(0.02)
        self.log.seek(0)
        said = self.log.read()[-500:].decode(errors="replace").strip()
        raise Missing(
            f"expected {self.name} to listen within {READY_WITHIN:g} s; it said: {said or 'nothing'}"
        )


def _in_child(cores, parent):
    """Between fork and exec: take its cores; end when we are killed (PR_SET_PDEATHSIG, prctl(2))."""
    os.sched_setaffinity(0, cores)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # we were killed before that
        os.kill(os.getpid(), signal.SIGTERM)


def _model(name, workers, server):
    # Nothing may time out while it is being measured.
    command = [sys.executable, "-m", "evolution", "serve", name, "tcp://127.0.0.1:0"]
    command += ["--idle-timeout", "3600", "--request-timeout", "3600"]
    return command + (["--workers", str(workers)] if workers else [])


def _python(script, *args):
    return lambda workers, server: [str(_peer_python()), str(PEERS / script), *args]


def _variant(script):
    """One of the course's models with something changed."""
    return lambda workers, server: [sys.executable, str(PEERS / script), str(workers)]


def _epoll_c(workers, server):
    source, binary = PEERS / "epoll_c.c", PEERS / "epoll_c"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        if not shutil.which("gcc"):
            raise Missing("expected gcc, to build the epoll server in C; try apt-get install gcc")
        subprocess.run(["gcc", "-O2", "-o", binary, source], check=True)
    return [str(binary)]


def _nginx(listen):
    def command(workers, server):
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if not nginx:
            raise Missing("expected nginx; try apt-get install nginx-light")
        text = (PEERS / "nginx.conf").read_text()
        values = {
            "DIRECTORY": server.directory,
            "PORT": server.port,
            "WORKERS": workers or 1,
            "LISTEN": listen,
        }
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        path = Path(server.directory) / "nginx.conf"
        path.write_text(text)
        Path(server.directory).chmod(0o755)  # its workers are nobody when we are root
        return [nginx, "-c", str(path), "-p", server.directory]

    return command


def _uvicorn(workers, server):
    return [str(_peer_python()), "-m", "uvicorn", "uvicorn_app:app", "--app-dir", str(PEERS),
            "--port", str(server.port), "--workers", str(workers or 1), "--loop", "uvloop",
            "--http", "httptools",
            "--no-access-log", "--log-level", "warning", "--lifespan", "off", "--backlog", "1024",
            "--timeout-keep-alive", "3600"]  # fmt: skip


def _gunicorn(workers, server):
    return [str(_peer_python()), "-m", "gunicorn", "gunicorn_app:app", "--chdir", str(PEERS),
            "--bind", f"127.0.0.1:{server.port}", "--workers", str(workers or 1), "--backlog", "1024",
            "--no-control-socket"]  # fmt: skip


def _peer_python():
    python = VENV / "bin" / "python"
    if not python.exists():
        raise Missing("expected bench/.venv; python -m bench makes it from bench/requirements.txt")
    return python


def _free_port():
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _listens(port):
    import socket

    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


KINDS = {
    kind.name: kind
    for kind in (
        *(Kind(name, name, partial(_model, name)) for name in GENERATIONS),
        Kind("shared_listener", "multireactor, all woken", _variant("shared_listener.py")),
        Kind("epoll_loop_deferred", "epoll_loop, deferred", _variant("deferred.py")),
        Kind("epoll_c", "epoll in C", _epoll_c),
        Kind("nginx", "nginx", _nginx(""), announces=False),
        Kind("nginx_deferred", "nginx, deferred", _nginx(" deferred"), announces=False),
        Kind("asyncio_protocol", "asyncio Protocol", _python("asyncio_protocol.py")),
        Kind("asyncio_streams", "asyncio streams", _python("asyncio_streams.py")),
        Kind("uvloop_protocol", "uvloop Protocol", _python("asyncio_protocol.py", "uvloop")),
        Kind("selectors", "selectors module", _python("selectors_loop.py")),
        Kind("gevent", "gevent", _python("gevent_server.py")),
        Kind("uvicorn", "uvicorn (httptools, uvloop)", _uvicorn, announces=False),
        Kind("gunicorn", "gunicorn, sync worker", _gunicorn, announces=False),
        Kind("tornado", "tornado", _python("tornado_server.py")),
        Kind("aiohttp", "aiohttp", _python("aiohttp_server.py")),
        Kind("http_server", "http.server, threads", _python("http_server.py")),
    )
}


def start(name, workers=None, cores=None, options=()):
    """Start a server by name. Raises Missing when it cannot run here."""
    return Server(KINDS[name], workers, cores, options)
