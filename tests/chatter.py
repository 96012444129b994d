"""A server for the contract tests: chatter.py MODEL ADDRESS [trouble]

It prints one line a callback, so that a test can count them. Its route /broken raises. With `trouble` its
handler itself raises for requests that ask for it.
"""

import os
import sys
from importlib import import_module

from evolution.core.app import App

model, address, *trouble = sys.argv[1:]
worker = import_module(f"evolution.{model}").Worker(address)
app = App()
app.routes["/broken"] = {"GET": lambda request: 1 / 0}
app.attach(worker)
inner = {name: getattr(worker, name) for name in ("on_connect", "on_message", "on_close")}


def say(line):
    os.write(1, f"{line}\n".encode())  # one call, one line: several threads and processes write here


def on_connect(conn):
    say(f"connect {conn.peer[1]}")
    inner["on_connect"](conn)


def on_message(conn, data):
    if trouble and b"/trouble" in data:
        raise RuntimeError("asked for trouble")
    inner["on_message"](conn, data)


def on_close(conn):
    say(f"close {conn.peer[1]}")
    inner["on_close"](conn)


worker.on_connect, worker.on_message, worker.on_close = on_connect, on_message, on_close
worker.on_start = lambda address: say(f"listening {address.host}:{address.port}")
worker.serve_forever()
