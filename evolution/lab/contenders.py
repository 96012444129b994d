"""Who can run in the race: the nine models, and beside them what of nginx, asyncio and PHP is installed.

    with contenders()["nginx"]() as server: …

Each is a function that starts a fresh server with `address`, `pid` and `model`, ready for clients.
"""

import shutil
import socket
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import evolution
from evolution.core.address import Address
from evolution.lab import launch
from evolution.lab.guarded import Guarded, LaunchError

READY_WITHIN = 5.0
"""Seconds a peer may take until it accepts connections."""

SPECIMENS = Path(__file__).with_name("specimens")

NGINX = """
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid @/nginx.pid; error_log stderr error;
events { worker_connections 19900; }
http {
    access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; default_type text/plain;
    client_body_temp_path @; proxy_temp_path @; fastcgi_temp_path @; uwsgi_temp_path @; scgi_temp_path @;
    server { listen 127.0.0.1:PORT backlog=1024; location / { return 200 "hello world!"; } }
}
"""

PHP = '<?php header("Content-Type: text/plain"); header("Content-Length: 12"); echo "hello world!";'


class Peer(Guarded):
    """A server that does not say when it is ready: it gets a free port, and is asked until it answers.

    `prepare(folder, port)` returns its command; the folder is its own and goes with it.
    """

    def __init__(self, name, prepare):
        self.model = name
        self._folder = tempfile.TemporaryDirectory(prefix="evolution-")
        self.address = Address("127.0.0.1", _free_port())
        folder = Path(self._folder.name)
        folder.chmod(0o755)  # nginx's workers are somebody else when we are root
        super().__init__(prepare(folder, self.address.port), cwd=folder)
        try:
            self._await()
        except BaseException:  # an interrupt too
            self.kill()
            raise

    def kill(self):
        super().kill()
        self._folder.cleanup()

    def __exit__(self, *_):
        self.kill()

    def _await(self):
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until and self.alive:
            with suppress(OSError):
                socket.create_connection(self.address, 1.0).close()
                return
            self.wait(0.01)
        raise LaunchError(f"expected {self.model} to accept connections; {self._last_words()}")


def peers():
    """Return {name: how to start it} for what is installed here."""
    found = {}
    if (SPECIMENS / "asyncio_streams.py").is_file():
        command = [sys.executable, str(SPECIMENS / "asyncio_streams.py")]
        found["asyncio"] = partial(launch.run, command, model="asyncio")
    if nginx := shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"):
        found["nginx"] = partial(Peer, "nginx", partial(_nginx, nginx))
    if php := shutil.which("php"):
        found["php -S"] = partial(Peer, "php -S", partial(_php, php))
    return found


def contenders(models=evolution.GENERATIONS, others=True):
    """Return {name: how to start it}, the models first. Raises LaunchError for an unknown model.

    `models` are modules or names of the course's models, or a dict {name: function that starts a Server},
    for servers of the learner's own.
    """
    if isinstance(models, dict):
        own = dict(models)
    else:
        names = [launch.model_name(model) for model in models]
        own = {name: partial(launch.start, name) for name in names}
    return own | (peers() if others else {})


def _nginx(program, folder, port):
    path = folder / "nginx.conf"
    path.write_text(NGINX.replace("@", str(folder)).replace("PORT", str(port)))
    return [program, "-c", path, "-p", folder]


def _php(program, folder, port):
    path = folder / "index.php"
    path.write_text(PHP)
    return [program, "-S", f"127.0.0.1:{port}", "-t", folder, path]


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
