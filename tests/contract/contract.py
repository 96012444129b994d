"""What the contract knows of each model, and what its tests look at: a new model joins by one line in MODELS.

What a model cannot do by its nature is asserted too, as what happens instead, with the sentence that says
why: the limits are the story of the course.
"""

from dataclasses import dataclass

import psutil
from serving import readable

ONE = "One process serves one connection at a time; the others are connected, but wait in the kernel's queue."
CREW = "A worker belongs to one connection until it ends; with all workers taken, the next one waits."
LOOP = "One thread runs all handlers; while one computes or sleeps, no other runs."


@dataclass(frozen=True)
class Model:
    """What the contract must know of a model."""

    name: str
    held_by: int
    """Silent clients that are enough to keep everybody else waiting; 0: no number is."""
    stalled_by: int
    """Requests that compute or sleep, enough to keep everybody else waiting."""
    why: str = ""
    crew: int = 0
    """Worker processes of a master that replaces them."""
    at_once: int = 1100
    """Of 1,100 connections, how many are served at the same time."""

    def __str__(self):
        return self.name


MODELS = [
    Model("blocking", held_by=1, stalled_by=1, at_once=1, why=ONE),
    Model("fork", held_by=100, stalled_by=100, at_once=100, why=CREW),
    Model("threads", held_by=500, stalled_by=500, at_once=500, why=CREW),
    Model("prefork", held_by=4, stalled_by=4, at_once=4, why=CREW, crew=4),
    Model("select_loop", held_by=0, stalled_by=1, at_once=1000, why=LOOP),
    Model("poll_loop", held_by=0, stalled_by=1, why=LOOP),
    Model("epoll_loop", held_by=0, stalled_by=1, why=LOOP),
    Model("reactor", held_by=0, stalled_by=4, why="Each worker thread runs one handler at a time."),
    Model("multireactor", held_by=0, stalled_by=2, why=LOOP, crew=2),
]


def patient(served, sock, seconds=0.3):
    """True when nothing arrives: used where the model must keep a client waiting."""
    return not readable(sock, seconds)


def taken(served, sock):
    """True once the server has read all that this client sent, from two looks at /proc/net/tcp: first all
    was acknowledged, which is to say that it had arrived; and then none of it was left unread."""
    server, client = f"0100007F:{served.port:04X}", f"0100007F:{sock.getsockname()[1]:04X}"
    return queue_lengths(client, server)[0] == 0 and queue_lengths(server, client)[1] in (0, None)


def queue_lengths(local, remote):
    """(bytes not acknowledged, bytes not read) of one connected socket; Nones where it has been closed."""
    with open("/proc/net/tcp") as table:
        for row in table:
            if f"{local} {remote}" in row:
                unsent, _, unread = row.split()[4].partition(":")
                return int(unsent, 16), int(unread, 16)
    return None, None


def calm(model, served):
    """The server's processes, once there are only those that stay; before that None."""
    everyone = served.everyone()
    return everyone if len(everyone) == 1 + model.crew else None


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
