"""A server for the contract tests: chatter.py MODEL ADDRESS [trouble]

It prints one line a callback, so that a test can count them. With `trouble` its handler raises for
requests that ask for it.
"""

import sys
from importlib import import_module

from evolution.core.app import App

model, address, *trouble = sys.argv[1:]
sys.stdout.reconfigure(line_buffering=True)
worker = import_module(f"evolution.{model}").Worker(address)
App().attach(worker)
inner = {name: getattr(worker, name) for name in ("on_connect", "on_message", "on_close")}


def on_connect(conn):
    print("connect", conn.peer[1])
    inner["on_connect"](conn)


def on_message(conn, data):
    if trouble and b"/trouble" in data:
        raise RuntimeError("asked for trouble")
    inner["on_message"](conn, data)


def on_close(conn):
    print("close", conn.peer[1])
    inner["on_close"](conn)


worker.on_connect, worker.on_message, worker.on_close = on_connect, on_message, on_close
worker.on_start = lambda address: print(f"listening {address.host}:{address.port}")
worker.serve_forever()
