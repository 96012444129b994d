"""One client in a Story, and what the samples saw of its port."""

from evolution.lab.increments import common
from evolution.lab.spans import CALLED, HELD, QUEUED, UNKNOWN, Run


class Lane:
    """One client."""

    __slots__ = ("card", "changed", "end", "facts", "id", "label", "port", "seen", "sent", "since", "spans")

    def __init__(self, name, label, card):
        self.id, self.label, self.card = name, label, card
        self.facts, self.spans, self.sent = [], [], []
        self.end = self.port = self.seen = self.since = None
        self.changed = True

    @property
    def state(self):
        if self.end:
            return self.end["state"]
        return self.spans[-1]["state"] if self.spans else None

    @property
    def left_queued(self):
        """Whether it ended while the kernel still held it."""
        return bool(self.end and self.spans) and self.spans[-1]["state"] == "queued"

    @property
    def cut_off(self):
        """Whether it was the server's side that ended it: a reset, a refusal, an end of file too early."""
        if not self.end or self.seen["own"]:
            return False
        by_server = self.end["state"] == "closed" and "server" in self.end["note"]
        return by_server or self.end["state"] in ("reset", "refused")

    @property
    def wait(self):
        """Seconds from the (first) request to the first byte of the answer; None when one is missing."""
        if not self.seen or self.seen["first_byte"] is None or self.seen["asked"] is None:
            return None
        return self.seen["first_byte"] - self.seen["asked"]

    def as_dict(self):
        return {"id": self.id, "label": self.label, "card": self.card, "spans": self.spans, "end": self.end}

    def changes(self):
        keep = common(self.sent, self.spans)
        self.sent, self.changed = self.spans, False
        return self.as_dict() | {"keep": keep, "spans": self.spans[keep:]}


class Port:
    """What the samples saw of one client's port, and whose it is: ports are used again."""

    __slots__ = ("number", "owner", "runs")

    def __init__(self, number):
        self.number = number
        self.owner = None
        self.runs = []

    def own(self, lane, t):
        """From time `t` on this port is the lane's; an owner before it has ended."""
        self.owner = lane
        lane.port, lane.since = self, t

    def see(self, key, index, samples):
        """Take what sample `index` saw; return whether that may change the owner's spans."""
        run = self.runs[-1] if self.runs else None
        if run is None or run.last != index - 1 or run.key != key:
            self.runs.append(Run(key, index))
            return True
        run.last = index
        facts = self.owner.facts if self.owner else ()
        return bool(facts) and facts[-1]["t"] >= samples.starts[index - 1]

    def runs_of(self, lane, samples):
        """Return the runs of samples that ended after the port became the lane's."""
        first = samples.ending_after(lane.since)
        return [part for run in self.runs if (part := run.since(first))]


def sight(connection, in_call):
    """Return what one sample saw of one connection, as the key of a Run."""
    if not connection["accepted"]:
        if connection["state"] in ("ESTABLISHED", "CLOSE_WAIT"):
            return QUEUED, None, "", 0
        return UNKNOWN, None, connection["state"], 0
    holders = connection["holders"]
    for pid, fd in holders:
        if (pid, fd) in in_call:
            return CALLED, pid, in_call[pid, fd], connection["inode"]
    if holders:
        pid, fd = holders[-1]  # children come after their parents
        return HELD, pid, fd, connection["inode"]
    return UNKNOWN, None, connection["state"], connection["inode"]
