"""A run of the classic Reactor, step by step: what each thread did, told by the Reactor itself.

    run = reactor_run()                  three clients, seven steps for each request
    run = reactor_run(oneshot=False)     the same without EPOLLONESHOT
    run.frames                           one dict for each step that somebody made

The Reactor is evolution/reactor.py in a process of its own (specimens/seven_steps.py). Nothing is invented:
a frame is one of its notes, and the state beside it is what the notes so far add up to.
"""

import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from evolution.core.address import Address
from evolution.lab.guarded import Guarded, LaunchError
from evolution.lab.recording import this_machine

PROGRAM = Path(__file__).with_name("specimens") / "seven_steps.py"
CLIENTS = 3
SCRIPT = ("AB", "C", "A")
"""Rounds of requests: in each, these clients send at the same moment and wait for their answers."""

PATIENCE = 5.0
"""Seconds for the program to listen, for an answer, and for its notes."""

SETTLE = 0.03
"""Seconds for all three to be accepted before the first speaks: easier to read, and true in any case."""

MOST_FRAMES = 60
"""Of a run that goes on and on, so many steps are shown; all are counted."""

MOST_SLOTS = 12
"""Entries of the queue that a frame names."""

STEPS = (
    "register",
    "epoll_wait",
    "put on the queue",
    "read, handle",
    "epoll_wait",
    "put on the queue",
    "write",
)
"""The classic Reactor's steps 1 to 7 in a few words."""


class Run:
    """One run: its notes, its counts, its frames."""

    def __init__(self, notes, counts, oneshot, requests, machine):
        self.notes, self.counts, self.oneshot = notes, counts, oneshot
        self.requests, self.machine = requests, machine
        self.frames = frames_of(notes)

    @property
    def sentence(self):
        """What was seen, with its figures."""
        counts, requests = self.counts, self.requests
        needed = f"{requests} requests need {2 * requests} entries in the queue"
        if self.oneshot:
            both = "never" if not counts["both"] else f"{counts['both']} times"
            return (
                f"{needed}, and {counts['entries']} were made; the queue held at most {counts['longest']}, "
                f"and a connection was {both} in two hands."
            )
        return (
            f"Without EPOLLONESHOT: {needed}, and {counts['entries']:,} were made; the queue held up to "
            f"{counts['longest']:,}, a worker took a connection that another one had in hand "
            f"{counts['both']:,} times, and {counts['vain']:,} reads found nothing."
        )

    def as_dict(self):
        """Return what the view Steps draws."""
        title = "The classic Reactor" if self.oneshot else "The same Reactor without EPOLLONESHOT"
        return {
            "title": f"{title}, step by step",
            "sentence": self.sentence,
            "recorded": False,
            "oneshot": self.oneshot,
            "steps": list(STEPS),
            "clients": CLIENTS,
            "counts": {**self.counts, "requests": self.requests},
            "frames": shortened(self.frames),
            "machine": self.machine,
        }

    def __repr__(self):
        return self.sentence


def reactor_run(oneshot=True, workers=2):
    """Run the Reactor with three clients; return the Run. Raises LaunchError when it does not."""
    lines, changed = [], threading.Condition()

    def take(line):
        with changed:
            lines.append(line)
            changed.notify_all()

    def line_of(word):
        def search():
            return next((line[len(word) :] for line in lines if line.startswith(word)), None)

        with changed:
            changed.wait_for(search, PATIENCE)
            return search()

    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    way = "oneshot" if oneshot else "level"
    late = f"within {PATIENCE:g} s, and it did not come"
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory()), "notes.json")
        command = [sys.executable, "-P", str(PROGRAM), way, str(file), str(workers)]
        environment = {**os.environ, "PYTHONPATH": path}
        program = stack.enter_context(Guarded(command, on_line=take, env=environment))
        where = line_of("listening ")
        if where is None:
            raise LaunchError(f"expected the Reactor to listen {late}; {program.last_words[-300:]}")
        requests = _talk(Address.parse(where), stack)
        program.signal(signal.SIGUSR1)
        if line_of("written ") is None:
            raise LaunchError(f"expected the Reactor's notes {late}; {program.last_words[-300:]}")
        told = json.loads(file.read_text(encoding="utf-8"))
    return Run(told["notes"], told["counts"], oneshot, requests, this_machine())


def _talk(address, stack):
    """Let three clients speak as SCRIPT says; return how many requests there were. `stack` closes them."""
    clients = {}
    for name in "ABC":
        sock = socket.create_connection((address.host, address.port), PATIENCE)
        clients[name] = stack.enter_context(sock)
    time.sleep(SETTLE)
    for names in SCRIPT:
        for name in names:
            clients[name].sendall(f"hello from {name}\n".encode())
        for name in names:
            clients[name].recv(1000)
    return sum(map(len, SCRIPT))


def frames_of(notes):
    """Fold notes into frames, one for each step that somebody made.

    {"step", "t", "who", "conn", "words", "left_out", "epoll": {name: flags}, "queue": [name], "length",
    "hands": {worker: name}, "doing": {thread: what}}; `left_out` says how many steps before it are not shown.
    """
    state = {"epoll": {}, "queue": [], "hands": {}, "doing": {"waiting": "starts"}, "ready": {}, "did": {}}
    frames = []
    for told in notes:
        made = _TAKE[told["kind"]](state, told, told["who"], told["conn"])
        if made is None:
            continue
        frame = {"step": made[0], "t": told["t"], "who": told["who"], "conn": told["conn"], "words": made[1]}
        frame |= {"left_out": 0, "epoll": dict(state["epoll"]), "doing": dict(state["doing"])}
        frame |= {"queue": state["queue"][:MOST_SLOTS], "length": len(state["queue"])}
        frame["hands"] = {who: name for who, name in state["hands"].items() if name}
        if not frames or frame["words"] != frames[-1]["words"]:  # the waiting thread may wake for its clock
            frames.append(frame)
    return frames


def shortened(frames):
    """Return at most MOST_FRAMES frames: how it begins, and what comes before and after two hands on one."""
    if len(frames) <= MOST_FRAMES:
        return frames
    met = next((i for i, frame in enumerate(frames) if in_two_hands(frame)), MOST_FRAMES)
    begin = MOST_FRAMES // 3
    resume = max(begin, min(met - 4, len(frames) - (MOST_FRAMES - begin)))
    first = frames[resume] | {"left_out": resume - begin}
    return [*frames[:begin], first, *frames[resume + 1 : resume + MOST_FRAMES - begin]]


def in_two_hands(frame):
    """True when two workers hold the same connection."""
    held = list(frame["hands"].values())
    return len(held) > len(set(held))


def _register(state, told, who, name):
    state["epoll"][name] = told["events"]
    state["doing"][who] = "accept, register"
    once = ", to be told once (ONESHOT)" if "ONESHOT" in told["events"] else ""
    return 1, f"The waiting thread has accepted {name} and registers it for input{once}."


def _wait(state, told, who, name):
    state["doing"][who] = "epoll_wait"
    sending = any("OUT" in flags for flags in state["epoll"].values())
    return (5 if sending else 2), "Nobody is ready: the waiting thread sleeps in epoll_wait."


def _report(state, told, who, name):
    state["doing"][who] = "epoll_wait returns"
    for each, events in told["ready"]:
        state["ready"][each] = events
        if "ONESHOT" in state["epoll"].get(each, ""):
            state["epoll"][each] = ""  # silent until it is armed again
    said = [f"{each} has {'room to send' if 'OUT' in events else 'input'}" for each, events in told["ready"]]
    sending = all("OUT" in events for _, events in told["ready"])
    return (5 if sending else 2), f"epoll_wait returns: {', '.join(said)}."


def _put(state, told, who, name):
    state["queue"].append(name)
    state["doing"][who] = f"puts {name}"
    sending = "OUT" in state["ready"].get(name, "")
    held = f"{told['length']:,} {'entry' if told['length'] == 1 else 'entries'}"
    return (6 if sending else 3), f"The waiting thread puts {name} on the queue, which now holds {held}."


def _idle(state, told, who, name):
    state["doing"][who] = "sleeps in get"


def _take(state, told, who, name):
    if name in state["queue"]:
        state["queue"].remove(name)
    state["hands"][who], state["doing"][who] = name, f"takes {name}"
    others = [each for each in told["holders"] if each != who]
    also = f". But {others[0]} has {name} in hand already" if others else ""
    sending = "OUT" in state["ready"].get(name, "")
    return (7 if sending else 4), f"{who.capitalize()} takes {name} from the queue{also}."


def _receive(state, told, who, name):
    state["doing"][who] = f"recv({name})"
    state["did"][who] = 4
    if told["bytes"] is None:
        return (
            4,
            f"{who.capitalize()} reads from {name}, and finds nothing: it was reported more often than sent.",
        )
    return 4, f"{who.capitalize()} reads {told['bytes']} bytes from {name} and works on the answer."


def _transmit(state, told, who, name):
    state["doing"][who] = f"send({name})"
    state["did"][who] = 7
    return 7, f"{who.capitalize()} writes the answer to {name}."


def _modify(state, told, who, name):
    state["epoll"][name] = told["events"]
    state["hands"][who], state["doing"][who] = None, "is done"
    what = "room to send" if "OUT" in told["events"] else "input"
    return state["did"].get(who, 4), f"{who.capitalize()} registers {name} for {what}, and lets it go."


_TAKE = {
    "register": _register,
    "wait": _wait,
    "report": _report,
    "put": _put,
    "idle": _idle,
    "take": _take,
    "receive": _receive,
    "transmit": _transmit,
    "modify": _modify,
}
