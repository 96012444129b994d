"""Four workers behind one port: who is woken, who serves, and who decides? What do the guesses betray?"""

import errno
import os
import signal
import socket
import struct

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import experiment, launch, sharing

CLIENTS = 20
NOW = struct.pack("ii", 1, 0)
"""SO_LINGER 0: close with a reset, so that the address can be used again at once (socket(7))."""

TAKEN = errno.EADDRINUSE, errno.EADDRNOTAVAIL
"""Somebody else on this machine has that address, be it in TIME_WAIT: another one will do."""


def measure():
    """Return the facts of the four ways, and the Timeline of the one with SO_REUSEPORT. Raises TooSlow."""
    facts = {}
    for way, key in (("accept", "in_accept"), ("epoll", "in_epoll")):
        with sharing.share(way) as server:
            dealt = sharing.deal(server, 1)
            facts[key] = sum(count > 0 for count in dealt.woken.values())
    with sharing.share("exclusive") as server:
        facts["busiest"] = max(sharing.deal(server, CLIENTS).served.values())
    with sharing.share("reuseport") as server:
        facts["chooses"] = "addresses" if same_again(server) else "turn"
    facts["unanswered"] = stopped()
    with launch.start("multireactor", workers=4) as server:
        title = "Way D: eight clients, a listener for each worker"
        run = experiment.run(server, [("polite", 8)], seconds=1.0, title=title)
    return facts, run.story.as_dict()


def same_again(server):
    """Return whether each of six clients that comes again from the same address gets the same worker."""
    same, tries = [], 0
    while len(same) < 6:
        tries += 1
        try:
            pid, port = worker_of(server)
            same.append(worker_of(server, port)[0] == pid)
        except (OSError, ValueError) as error:
            taken = isinstance(error, OSError) and error.errno in TAKEN
            if not taken or tries == 20:
                raise TooSlow(f"expected a worker's answer within 3 s: {error}") from None
    return all(same)


def worker_of(server, port=0):
    """Connect from a port of our own (0: any); return (pid of the worker, our port). Raises OSError, ValueError."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(3)
        sock.bind(("127.0.0.1", port))
        sock.connect((server.address.host, server.address.port))
        sock.sendall(b"?\n")
        pid = int(sock.recv(100))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
        return pid, sock.getsockname()[1]


def stopped():
    """Return how many of CLIENTS clients have no answer while one of four workers stands still."""
    for _ in range(3):  # the hash may leave one worker out for once
        with sharing.share("reuseport") as server:
            pids = [each.pid for each in server.tree()[1:]]
            os.kill(pids[0], signal.SIGSTOP)
            count = len(sharing.deal(server, CLIENTS, 0.05).waiting)
            os.kill(pids[0], signal.SIGCONT)
        if count:
            return count
    raise TooSlow("expected some clients to be given to the worker that stands still; none was, three times")


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    lines = (
        f"one client: {facts['in_accept']} woken in accept, {facts['in_epoll']} in epoll_wait",
        f"EPOLLEXCLUSIVE: {facts['busiest']} of {CLIENTS} clients went to one worker",
        f"SO_REUSEPORT: the same address got the same worker each time; {facts['unanswered']} of {CLIENTS} "
        "clients were given to the one that stood still",
    )
    accept, epoll, busiest = guesses["in_accept"], guesses["in_epoll"], guesses["busiest"]
    close = {
        "A": accept == facts["in_accept"],
        "B": epoll > 1 and abs(epoll - facts["in_epoll"]) <= 1,
        "C": busiest > CLIENTS / 2 and abs(busiest - facts["busiest"]) <= CLIENTS / 5,
        "D, chosen by": guesses["chooses"] == facts["chooses"],
        "D, unanswered": 0 < guesses["unanswered"] <= CLIENTS * 0.6,
    }
    lines = (*lines, "near enough: " + ", ".join(f"{'✓' if fits else '✗'} {way}" for way, fits in close.items()))
    if accept > 1:
        return Wrong("accept_wakes_all", *lines)
    if epoll == 1:
        return Wrong("herd_is_gone", *lines)
    if busiest <= CLIENTS / 2:
        return Wrong("exclusive_means_fair", *lines)
    if guesses["chooses"] == "turn":
        return Wrong("kernel_round_robins", *lines)
    if guesses["chooses"] == "load" or guesses["unanswered"] == 0:
        return Wrong("reuseport_least_loaded", *lines)
    near = abs(busiest - facts["busiest"]) <= CLIENTS / 5 and guesses["unanswered"] <= CLIENTS * 0.6
    if near and accept == facts["in_accept"] and 1 < epoll and abs(epoll - facts["in_epoll"]) <= 1:
        return Right(*lines)
    return Unrecognised(*lines)


def marks(guesses):
    """Counts have no place on the axis of time."""
    return []
