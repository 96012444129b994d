"""The story of one experiment: what the clients told and what the samples saw, merged into one picture.

Pure: no clock, no socket, and safe to use from several threads. `feed` takes the probe's events, `sample` an
X-ray (procfs.snapshot), `advance` the time; `as_dict` gives the Timeline's state and `changes` only what is
new since the last call, so that `increments.apply(state, changes)` keeps a copy elsewhere up to date.

The two streams may reach us in any interleaving: a client's spans are worked out anew from all its facts
whenever there is a new one (spans.py), so a late event corrects the picture.

With more than MOST_LANES clients only the interesting ones are lanes; all of them are counted in bands: how
many were in which state, at every step of time.
"""

import functools
import heapq
import threading
from collections import Counter

from evolution.lab.increments import Bands, Steps
from evolution.lab.lanes import Lane, Port, sight
from evolution.lab.sentence import describe
from evolution.lab.spans import Samples, client_spans
from evolution.lab.tracks import Tracks

MOST_LANES = 60

STEP = 0.05
"""Seconds between two steps of the bands; more in an experiment of over 20 s."""


def _alone(method):
    """Let one thread at a time into the story."""

    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        with self._lock:
            return method(self, *args, **kwargs)

    return wrapper


class Story:
    """See the module. `clients` is how many there will be, `roster` who they are, if that is known."""

    def __init__(self, title="", *, clients=None, roster=(), seconds=None, recorded=False):
        self._lock = threading.RLock()
        self.title, self.recorded, self.seconds = title, recorded, seconds
        self.now, self.end, self.running, self.ended = 0.0, None, True, None
        self.death = None
        self.guesses = []
        self.lanes = {}
        self.samples = Samples()
        self.queue = Steps()
        self.tracks = Tracks()
        self.clients = clients
        self.bands = Bands(max(STEP, (seconds or 0) / 400))
        self._ports = {}
        self._chosen = {}  # ids of the lanes that are shown, in the order of appearing
        self._first, self._failed = {}, []
        self.counts = Counter()
        """How many clients are in which state now, or ended in which; state: number."""
        self._open_ports = set()
        self._dirty = {}
        for entry in roster:
            self._lane(entry)

    @property
    def cards(self):
        """The cards that are in play, in the order of their first clients."""
        return list(self._first)

    @property
    def cut_off(self):
        """Whether the server's side has ended a connection that was not the client's own doing to end."""
        return any(lane.cut_off for lane in self.lanes.values())

    @property
    def _counted_to(self):
        """Up to when bands are counted: at the end one step further, so that they show how it ended."""
        return self.now if self.running else self.now + self.bands.step

    @property
    def crowded(self):
        """Whether there are too many clients for a lane each."""
        return (self.clients or len(self.lanes)) > MOST_LANES

    # --- facts ---

    @_alone
    def feed(self, event):
        """Take one event of the probe, or of the experiment itself (kinds client, server, end)."""
        self.now = max(self.now, event.get("t", 0.0))
        kind = event["kind"]
        if kind == "client":
            lane = self._lane(event)
            if "port" in event:
                self._port(event["port"]).own(lane, event["t"])
            lane.facts.append(event)
            self._soil(lane)
        elif kind == "server":
            self.death = event
        elif kind == "end":
            self.ended = event

    @_alone
    def sample(self, xray):
        """Take one X-ray; `t` is when its reading began, `took` how long it took, in seconds."""
        began = xray["t"]
        index = len(self.samples)
        self.samples.add(began, round(began + xray.get("took", 0.0), 6))
        self.now = max(self.now, self.samples.ends[-1])
        self._sample_connections(xray, index)
        self.tracks.see(xray, began)
        if xray["listeners"]:
            limits = [each["limit"] for each in xray["listeners"]]
            self.queue.limit = None if None in limits else sum(limits)
            self.queue.add(began, sum(each["length"] for each in xray["listeners"]))

    @_alone
    def advance(self, t):
        """Let time pass up to `t`."""
        self.now = max(self.now, t)

    @_alone
    def finish(self, t):
        """The experiment is over."""
        self.now = self.end = max(self.now, t)
        self.running = False

    @_alone
    def guess(self, lane, t, label="your prediction"):
        """Put a prediction on a client's lane, to be drawn as a ghost mark."""
        self.guesses.append({"lane": lane, "t": t, "label": label})

    # --- pictures ---

    @_alone
    def as_dict(self):
        """Return the whole Timeline state."""
        self._settle()
        lanes = self._lanes_to_show()
        state = {
            "title": self.title,
            "sentence": describe(self),
            "now": self.now,
            "end": self.end,
            "running": self.running,
            "recorded": self.recorded,
            "lanes": [lane.as_dict() for lane in lanes],
            "queue": {"limit": self.queue.limit, "steps": list(self.queue.steps)},
            "processes": [track.as_dict() for track in self.tracks],
            "guesses": list(self.guesses),
        }
        if self.crowded:
            state["bands"] = self.bands.until(self._counted_to)
            state["clients"] = len(self.lanes)
        return state

    @_alone
    def changes(self):
        """Return the update that turns the state at the last call into the present one."""
        self._settle()
        update = {
            "kind": "timeline",
            "now": self.now,
            "end": self.end,
            "running": self.running,
            "sentence": describe(self),
            "lanes": [],
            "queue": self.queue.changes(),
            "processes": [],
            "guesses": list(self.guesses),
        }
        update["lanes"] = [lane.changes() for lane in self._lanes_to_show() if lane.changed]
        update["processes"] = [track.changes() for track in self.tracks if track.changed]
        if self.crowded:
            update["bands"] = self.bands.changes(self._counted_to)
            update["clients"] = len(self.lanes)
        return update

    @_alone
    def state_of(self, client):
        """Return what the client with this id is in now: a span's state, or how it ended; None before."""
        self._settle()
        return self.lanes[client].state

    # --- inside ---

    @_alone
    def who(self, most=MOST_LANES):
        """Return the open clients as an X-ray shows them: id, label, port, state; at most `most`."""
        self._settle()
        some = [lane for lane in self._lanes_to_show() if lane.port and not lane.end]
        return [
            {"id": lane.id, "label": lane.label, "port": lane.port.number, "state": lane.state}
            for lane in some[:most]
        ]

    def _lane(self, entry):
        lane = self.lanes.get(entry["id"])
        if lane is None:
            lane = Lane(entry["id"], entry.get("label", entry["id"]), entry.get("card", ""))
            self.lanes[lane.id] = lane
            self._first.setdefault(lane.card, lane.id)
        return lane

    def _port(self, number):
        port = self._ports.get(number)
        if port is None:
            port = self._ports[number] = Port(number)
        return port

    def _sample_connections(self, xray, index):
        in_call = {
            (process["pid"], int(call[call.index("(") + 1 : -1])): call
            for process in xray["processes"]
            for thread in process["threads"]
            if (call := thread["call"]) and call.endswith(")")
        }
        ports, seen = self._ports, set()
        for connection in xray["connections"]:
            number = connection["port"]
            seen.add(number)
            port = ports.get(number) or self._port(number)
            if port.see(sight(connection, in_call), index, self.samples):
                self._soil(port.owner)
        for number in self._open_ports - seen:
            self._soil(ports[number].owner)
        self._open_ports = seen

    def _soil(self, lane):
        """Note that this lane's spans have to be worked out anew."""
        if lane:
            self._dirty[lane.id] = lane

    def _settle(self):
        """Work out anew what has changed."""
        for lane in self._dirty.values():
            spans, end, state = lane.spans, lane.end, lane.state
            runs = lane.port.runs_of(lane, self.samples) if lane.port else []
            lane.spans, lane.end, lane.seen = client_spans(lane.facts, runs, self.samples)
            lane.changed = True
            if state != lane.state:
                self.counts.subtract([state] if state else ())  # one that was nowhere has left nothing
                self.counts.update([lane.state] if lane.state else ())
            self.bands.replace(spans, end, lane.spans, lane.end)
            if lane.end and not end and (lane.cut_off or lane.end["state"] == "timed_out"):
                self._failed.append(lane.id)
        self._dirty.clear()

    def _lanes_to_show(self):
        """Return the lanes to show; once shown, a lane stays."""
        if self.crowded:
            room = MOST_LANES - len(self._chosen)
            self._chosen |= dict.fromkeys(self._interesting(room)) if room > 0 else {}
        else:
            self._chosen |= dict.fromkeys(self.lanes)
        return [self.lanes[each] for each in self._chosen]

    def _interesting(self, room):
        """Choose lanes of a crowd: the first of each card, those that failed, at the end the slowest."""
        slowest = []
        if not self.running:
            waits = [(lane.wait, lane.id) for lane in self.lanes.values() if lane.wait is not None]
            slowest = [name for _, name in heapq.nlargest(12, waits, key=lambda wait: wait[0])]
        chosen = dict.fromkeys((*self._first.values(), *slowest, *self._failed[:20]))
        return [each for each in chosen if each not in self._chosen][:room]
