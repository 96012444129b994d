"""One experiment: a crowd of clients against a running server, and the kernel's view of both.

    experiment = Experiment(server, [("silent", 1, {"for": 2.0}), ("polite", 4)])
    experiment.start()
    experiment.wait(10)
    print(experiment.story.as_dict()["sentence"])

The clients live in their own process under a guard (probe.py), so that a notebook's kernel that is busy, or
gone, neither slows them down nor leaves them behind. In the kernel there is one thread: it takes the probe's
events, samples the server, and sends updates to whoever subscribed.
"""

import json
import sys
import threading
import time
from collections import deque

from evolution.core.address import Address
from evolution.lab import procfs
from evolution.lab.clients import CARDS, plan, roster
from evolution.lab.feed import TICK, Feed
from evolution.lab.guarded import Guarded
from evolution.lab.recording import Recording
from evolution.lab.story import MOST_LANES, Story

SAMPLE_EVERY = 0.05
"""Seconds between two samples while there is credit for them."""

CREDIT, INCOME = 0.08, 0.03
"""Seconds of processor time for samples: at the start, and for each second. Dear samples become rare ones."""

SAMPLE_AT_LEAST_EVERY = 1.0
"""Seconds between two samples, however dear they are."""

LAST_BREATH = 0.25
"""Seconds in which a server that has cut off its clients may turn out to be dying: sockets go first."""

PATIENCE = 15.0
"""Seconds beyond the experiment's own that `run` waits for it."""

PROBE = [sys.executable, "-P", "-m", "evolution.lab.probe"]


class ExperimentError(RuntimeError):
    """The experiment cannot start or did not end; the message says what was expected and what came."""


class Experiment(Feed):
    """See the module. `crowd`: clients.plan; `seconds` bounds the experiment, which ends earlier if all have.

    Raises ClientError for a crowd that cannot be played.
    """

    def __init__(self, server, crowd, seconds=5.0, title=None):
        self.server = server
        host, port = Address.parse(server.address)
        self.plan = plan(Address("127.0.0.1" if host == "0.0.0.0" else host, port), crowd, seconds)
        title = title or f"{server.model}: {_names(self.plan)}"
        clients = self.plan["clients"]
        who = list(roster(self.plan)) if clients <= MOST_LANES else []
        story = Story(title, clients=clients, roster=who, seconds=self.plan["seconds"])
        super().__init__(story, Recording(title, plan=self.plan, model=server.model))
        self._probe = self._thread = None
        self._lines, self._wake = deque(), threading.Event()
        self._epoch = None
        self._next_sample = self._spent = 0.0
        self._all_told = self._dead = False

    def start(self):
        """Start the clients and return; what happens then is told to the subscribers.

        Raises ExperimentError when it was started before or the server does not run.
        """
        if self._started:
            raise ExperimentError("this experiment was started before; make a new one to see it again")
        if not self.server.alive:
            raise ExperimentError(f"expected a running server, but {self.server!r}; start it again")
        self._started = True
        try:
            self._probe = Guarded(PROBE, stdin=json.dumps(self.plan).encode() + b"\n", on_line=self._hear)
        except BaseException:
            self._done.set()
            raise
        self._thread = threading.Thread(target=self._work, name="experiment", daemon=True)
        self._thread.start()

    def stop(self):
        """End it at once: every client closes, the story keeps what was seen. Harmless at any time."""
        if self._probe:
            self._probe.stop(timeout=1.0)
            if threading.current_thread() is not self._thread:
                self._thread.join(PATIENCE)

    # --- in the thread that drains the probe ---

    def _hear(self, line):
        self._lines.append(line)
        if '"client"' not in line:  # the first and the last
            self._wake.set()

    # --- in the experiment's own thread ---

    def _work(self):
        try:
            while not self._all_told:
                self._wake.wait(TICK)  # sleeps here
                self._wake.clear()
                alive = self._probe.alive
                self._take_lines()
                if self._epoch is not None:
                    self._look()
                    self._publish()
                if not alive and not self._lines:
                    break
        except BaseException:  # a fault of ours: no reason to leave the clients alone
            self._probe.kill()
            raise
        finally:
            self._wind_up()

    def _take_lines(self):
        while self._lines:
            event = json.loads(self._lines.popleft())
            if event["kind"] == "start":
                self._epoch = self._next_sample = event["epoch"]
            elif event["kind"] == "error":
                self._tell({"t": 0.0, "kind": "end", "note": event["note"]})
            else:
                self._tell(event)

    def _tell(self, event):
        self._all_told = self._all_told or event["kind"] == "end"
        self.story.feed(event)
        self.recording.add(event)

    def _look(self):
        """Sample the server if it is time and not too dear."""
        began = time.monotonic()
        self.story.advance(round(began - self._epoch, 6))
        late = began - self._next_sample
        affordable = self._spent < CREDIT + INCOME * (began - self._epoch)
        if late >= 0 and (affordable or late >= SAMPLE_AT_LEAST_EVERY - SAMPLE_EVERY):
            cpu = time.thread_time()
            self._sample(began)
            self._spent += time.thread_time() - cpu
            self._next_sample = max(self._next_sample + SAMPLE_EVERY, began + SAMPLE_EVERY / 2)

    def _sample(self, began):
        server = self.server
        xray = procfs.snapshot(server.pid, self.plan["port"], model=server.model)
        xray["t"] = round(began - self._epoch, 6)
        xray["took"] = round(time.monotonic() - began, 6)
        xray["connections"].sort(key=lambda connection: connection["port"])
        self.recording.add(xray)
        self._take_xray(xray)
        self._look_for_death(xray["t"])

    def _look_for_death(self, t):
        if self.server.alive or self._dead:
            return
        self._dead = True
        status, note = self.server.exit_status, self.server.last_words.strip()[-400:]
        self._tell({"t": t, "kind": "server", "state": "died", "status": status, "note": note})

    def _wind_up(self):
        try:
            self._probe.wait(PATIENCE)
            if self._epoch is None:
                self._epoch = time.monotonic()
            if not self._all_told:
                words = f"the clients' process died: {self._probe.last_words.strip()[-400:]}"
                self._tell({"t": self.story.now, "kind": "end", "note": words})
            self._sample(time.monotonic())
            if self.story.cut_off:
                self.server.wait(LAST_BREATH)
                self._sample(time.monotonic())  # the last one may have seen it in the middle of its end
        finally:
            ended = self.story.ended
            self._finish(ended["t"] if ended else self.story.now)


def run(server, crowd, seconds=5.0, title=None, watch=None):
    """Run one experiment to its end and return it; `watch` gets its updates meanwhile.

    Raises ExperimentError when it does not end.
    """
    experiment = Experiment(server, crowd, seconds, title)
    if watch:
        experiment.subscribe(watch)
    experiment.start()
    try:
        if not experiment.wait(seconds + PATIENCE):
            raise ExperimentError(f"expected the experiment to end after {seconds:g} s, but it goes on")
    finally:  # an interrupt too
        experiment.stop()
    return experiment


def _names(plan):
    return ", ".join(f"{group['n']:,} {CARDS[group['card']].label}" for group in plan["groups"])
