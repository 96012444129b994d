"""The classic Reactor, telling what it does: python seven_steps.py oneshot|level FILE [WORKERS]

It is evolution/reactor.py itself. The epoll object, the queue and the connections that it uses are given
to it from outside, and note each call before they make it. "level" takes EPOLLONESHOT away, and nothing else.
SIGUSR1: write all notes as JSON into FILE, say so, and end.
"""

import importlib
import json
import os
import queue
import select
import signal
import sys
import threading
import time
import types
from pathlib import Path

MOST = 20_000
"""Notes that are kept; all are counted."""

WORK = 0.004
"""Seconds that the handler takes."""

lock, began = threading.RLock(), time.monotonic()
notes, names, workers, held = [], {}, {}, {}
counts = {"entries": 0, "vain": 0, "both": 0, "longest": 0, "answers": 0}


def who():
    me = threading.get_ident()
    if me == threading.main_thread().ident:
        return "waiting"
    return workers.setdefault(me, f"worker {len(workers) + 1}")


def note(kind, conn=None, **facts):
    name = names.get(conn.fileno()) if conn is not None else None
    if len(notes) < MOST:
        told = {"t": round(time.monotonic() - began, 6), "kind": kind, "who": who(), "conn": name}
        notes.append(told | facts)


class Epoll:
    """select.epoll, told."""

    def __init__(self):
        self.real = select.epoll()

    def register(self, what, events):
        with lock:
            if hasattr(what, "receive"):
                names[what.fileno()] = "ABCDEFGH"[len(names)]
                note("register", what, events=flags(events))
        self.real.register(what, events)

    def modify(self, what, events):
        with lock:
            if hasattr(what, "receive"):
                note("modify", what, events=flags(events))
                holders = held.get(what, [])
                if who() in holders:
                    holders.remove(who())
        self.real.modify(what, events)

    def poll(self, timeout):
        ready = self.real.poll(0)
        if not ready:  # only then does it sleep
            with lock:
                note("wait")
            ready = self.real.poll(timeout)
        with lock:
            if said := [(names[fd], flags(events)) for fd, events in ready if fd in names]:
                note("report", ready=said)
        return ready

    def __getattr__(self, name):
        return getattr(self.real, name)


class Queue:
    """queue.SimpleQueue, told."""

    def __init__(self):
        self.real = queue.SimpleQueue()

    def put(self, conn):
        with lock:
            counts["entries"] += 1
            self.real.put(conn)
            counts["longest"] = max(counts["longest"], self.real.qsize())
            note("put", conn, length=self.real.qsize())

    def get(self):
        with lock:
            note("idle")
        conn = self.real.get()
        with lock:
            holders = held.setdefault(conn, [])
            counts["both"] += bool(holders)
            holders.append(who())
            note("take", conn, length=self.real.qsize(), holders=list(holders))
        return conn


def flags(events):
    words = [word for word in ("IN", "OUT", "ONESHOT") if events & getattr(select, f"EPOLL{word}")]
    return " ".join(words)


def told(connection):
    class Told(connection):
        """A Connection, told."""

        __slots__ = ()

        def receive(self):
            data = super().receive()
            with lock:
                counts["vain"] += data is None
                note("receive", self, bytes=len(data) if data is not None else None)
            return data

        def transmit(self):
            with lock:
                note("transmit", self)
                counts["answers"] += 1
            super().transmit()

    return Told


def dump(*_):
    # In the main thread, which may hold the lock: an RLock lets it in again.
    with lock:
        Path(path).write_text(json.dumps({"notes": notes, "counts": counts}), encoding="utf-8")
        print(f"written {path}", flush=True)
        os._exit(0)


def main(way, file, crew="2"):
    global path
    path = file
    # By name, as `python -m evolution serve` does: the lab itself never imports a model.
    core, reactor = map(importlib.import_module, ("evolution.core", "evolution.reactor"))
    core.Connection = told(core.Connection)
    reactor.queue = types.SimpleNamespace(SimpleQueue=Queue)
    reactor.select = types.SimpleNamespace(**{**vars(select), "epoll": Epoll})
    if way == "level":
        reactor.READ, reactor.WRITE = select.EPOLLIN, select.EPOLLOUT
    signal.signal(signal.SIGUSR1, dump)
    worker = reactor.Worker("tcp://127.0.0.1:0", workers=int(crew))
    worker.on_start = lambda address: print(f"listening {address.host}:{address.port}", flush=True)

    def answer(conn, data):
        time.sleep(WORK)
        conn.send(data.upper())

    worker.on_message = answer
    worker.serve_forever()


main(*sys.argv[1:])
