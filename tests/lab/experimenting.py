"""A server to experiment with, and what is heard and read of an experiment."""

import threading

import psutil

from evolution.lab.increments import apply

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for a fact."""

LINE = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print("listening 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    sock, _ = listener.accept()
    data = b""
    try:
        while b"\\r\\n\\r\\n" not in data and (more := sock.recv(65536)):
            data += more
    except ConnectionResetError:
        pass
    if b"/die" in data:
        sys.exit("the disk is full")
    if data:
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    sock.close()
"""
"""A server that takes one client at a time and keeps nobody's time."""


class Heard:
    """What a subscriber heard, and an event for each fact that it waits for."""

    def __init__(self, experiment):
        self.state, self.updates = experiment.story.as_dict(), []
        self.condition = threading.Condition()
        experiment.subscribe(self)

    def __call__(self, update):
        with self.condition:
            self.updates.append(update)
            if update["kind"] == "timeline":
                self.state = apply(self.state, update)
            self.condition.notify_all()

    def until(self, fact):
        """Wait until `fact(state)` is true of the picture heard so far."""
        with self.condition:
            assert self.condition.wait_for(lambda: fact(self.state), PATIENCE), self.state


def lanes(state):
    return {lane["label"]: lane for lane in state["lanes"]}


def states(state, label):
    return [span["state"] for span in lanes(state)[label]["spans"]]


def silent_is_served(state):
    return "served" in states(state, "silent 1")


def nothing_left(*pids):
    return [pid for pid in pids if psutil.pid_exists(pid)] == []
