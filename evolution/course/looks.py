"""What the bench saw of an answer: looks at /proc and the clients' own facts, with their times.

    looks = Looks(run)           begins to look, every EVERY seconds, until `end`
    looks.now()                  one more look, as an X-ray (procfs.snapshot)
    looks.tell(client, state)    what a client did or got, in the words of the lab's clients
    looks.timeline(clients)      the Timeline's state of some clients, from these facts and no others

Nothing is judged here and nothing added: the picture shows what was seen while the answer was checked.
"""

import threading
import time

from evolution.lab import procfs

EVERY = 0.1
"""Seconds between two looks, beside those that a waiting client takes anyway."""

MOST = 4000
"""Looks that are kept."""

CROWD = 40
"""With more open connections than this, the kernel is asked for all of them at once."""


class Looks:
    """The looks at one run, with the seconds since it began."""

    def __init__(self, run):
        self._run = run
        self._began = time.monotonic()
        self.xrays, self.facts, self.marks = [], [], []
        self.end_at = None
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="looks", daemon=True)
        self._thread.start()

    def time(self):
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def now(self):
        """Take a look, keep it and return it: a dict as procfs.snapshot makes it."""
        run, t = self._run, self.time()
        ports = run.open_ports()
        clients = ports if len(ports) <= CROWD else None
        found = procfs.snapshot(run.pid, run.port, t=t, also=run.orphans(), clients=clients)
        found["took"] = self.time() - t
        with self._lock:
            if len(self.xrays) < MOST and self.end_at is None:
                self.xrays.append(found)
        return found

    def tell(self, client, state, **more):
        """Keep a fact about one client: its state now."""
        with self._lock:
            if self.end_at is None:
                self.facts.append({"kind": "client", "id": client, "t": self.time(), "state": state, **more})

    def mark(self, client, words):
        """Keep what a client did that has no state of its own; it becomes part of the sentence."""
        with self._lock:
            self.marks.append((self.time(), client, words))

    def end(self):
        """Look no more; what clients do from now on is clearing up, and not told."""
        with self._lock:
            self.end_at = self.time() if self.end_at is None else self.end_at
        self._over.set()

    def _go_on(self):
        while not self._over.wait(EVERY):
            self.now()

    def timeline(self, clients, title):
        """Return the Timeline's state: the clients with these ids as lanes, and the processes that were seen.

        It begins with the first of these clients: what was before belongs to other probes.
        """
        from evolution.lab import sentence, story  # only a check that found something needs them

        end = self.time() if self.end_at is None else self.end_at
        with self._lock:
            facts = [fact for fact in self.facts if fact["id"] in clients]
            xrays = list(self.xrays)
        begin = min((fact["t"] for fact in facts), default=0.0)
        told = story.Story(title)
        events = [(fact["t"], told.feed, fact) for fact in facts]
        events += [(each["t"], told.sample, each) for each in xrays if begin <= each["t"] <= end]
        for t, take, what in sorted(events, key=lambda event: event[0]):
            take({**what, "t": round(t - begin, 6)})
        for lane in clients:
            _leave_open(told, lane, end - begin)
        told.finish(round(end - begin, 6))
        state = told.as_dict()
        clauses = [state["sentence"].removesuffix(".")]
        if not facts:
            span = sentence.seconds(end - begin)
            clauses = [f"Processes and threads seen in {span}: {len(state['processes'])}"]
        for t, client, what in self.marks:
            if client in clients:
                clauses.append(f"client {client[1:]} {what} after {sentence.seconds(t - begin)}")
        return {**state, "sentence": "; ".join(clauses) + "."}


def _leave_open(told, lane, t):
    """Say of a client that is still there what it was waiting for when the check had seen enough."""
    last = told.state_of(lane) if lane in told.lanes else None
    if last is None or told.lanes[lane].end:
        return
    asked = told.lanes[lane].facts[-1]
    end = {"kind": "client", "id": lane, "t": round(t, 6)}
    if asked["state"] == "asked":
        note = f"no answer for {t - asked['t']:.2f} s, until the check had seen enough"
        told.feed({**end, "state": "timed_out", "note": note})
    else:
        told.feed({**end, "state": "closed", "own": True, "note": "the check had seen enough"})
