"""The growing parts of a Timeline state, each of which can tell what is new since it was last asked.

An increment says how much of what the receiver has still holds (`keep`) and what follows from there on; the
past can change too, when a witness speaks late.
"""

import math


class Track:
    """One process or thread of the server."""

    __slots__ = ("changed", "end", "id", "label", "sent", "spans")

    def __init__(self, name, label):
        self.id, self.label = name, label
        self.spans, self.sent, self.end = [], [], None
        self.changed = True

    def see(self, t, state, note):
        """A sample that began at `t` saw it in this state."""
        if self.spans:
            last = self.spans[-1]
            if last["state"] == state and last["note"] == note:
                return
            self.spans[-1] = last | {"to": t}
        self.spans.append({"state": state, "from": t, "to": None, "note": note})
        self.changed = True

    def gone(self, t):
        """A sample that began at `t` did not see it any more."""
        if self.end is None:
            self.spans[-1] = self.spans[-1] | {"to": t}
            self.end = {"state": "gone", "t": t, "note": "no longer in /proc"}
            self.changed = True

    def as_dict(self):
        return {"id": self.id, "label": self.label, "spans": list(self.spans), "end": self.end}

    def changes(self):
        keep = common(self.sent, self.spans)
        self.sent, self.changed = list(self.spans), False
        return self.as_dict() | {"keep": keep, "spans": self.spans[keep:]}


class Steps:
    """The length of the accept queue: [t, length] whenever a sample saw a new one."""

    def __init__(self):
        self.limit, self.steps, self._sent = None, [], 0

    def add(self, t, length):
        if not self.steps or self.steps[-1][1] != length:
            self.steps.append([t, length])

    def changes(self):
        keep, self._sent = self._sent, len(self.steps)
        return {"limit": self.limit, "keep": keep, "steps": self.steps[keep:]}


class Bands:
    """How many clients were in which state, at every `step` seconds."""

    def __init__(self, step):
        self.step = step
        self._changes = {}  # number of a step: {state: how many more than the step before}
        self._counts = []
        self._stale = self._unsent = 0

    def replace(self, spans, end, new_spans, new_end):
        """One client's spans were these and are now those."""
        old, new = list(_entries(spans, end)), list(_entries(new_spans, new_end))
        same = common(old, new)
        for sign, entries in ((-1, old), (1, new)):
            before = entries[same - 1][1] if same else None
            for t, state in entries[same:]:
                self._move(t, before, state, sign)
                before = state

    def until(self, now):
        """Return [[t, {state: n}], …] up to `now`."""
        self._count(now)
        return [[round(number * self.step, 6), counts] for number, counts in enumerate(self._counts)]

    def changes(self, now):
        self._count(now)
        keep, self._unsent = self._unsent, len(self._counts)
        steps = enumerate(self._counts[keep:], keep)
        return {"keep": keep, "steps": [[round(number * self.step, 6), counts] for number, counts in steps]}

    def _move(self, t, before, state, sign):
        number = math.ceil(t / self.step - 1e-9)
        change = self._changes.setdefault(number, {})
        if before:
            change[before] = change.get(before, 0) - sign
        change[state] = change.get(state, 0) + sign
        self._stale = min(self._stale, number)
        self._unsent = min(self._unsent, number)

    def _count(self, now):
        """Sum up from the first stale step to the last one before `now`."""
        last = int(now / self.step + 1e-9)
        del self._counts[self._stale :]
        counts = dict(self._counts[-1]) if self._counts else {}
        for number in range(len(self._counts), last + 1):
            for state, change in self._changes.get(number, {}).items():
                counts[state] = counts.get(state, 0) + change
            self._counts.append({state: n for state, n in counts.items() if n})
        self._stale = len(self._counts)


def apply(state, update):
    """Return a Timeline state with an update applied to it; neither is changed. What views do, in Python."""
    new = state | {key: update[key] for key in ("now", "end", "running", "sentence", "guesses")}
    new["lanes"] = _apply_lanes(state["lanes"], update["lanes"])
    new["processes"] = _apply_lanes(state["processes"], update["processes"])
    queue = update["queue"]
    new["queue"] = {
        "limit": queue["limit"],
        "steps": state["queue"]["steps"][: queue["keep"]] + queue["steps"],
    }
    if "bands" in update:
        bands = update["bands"]
        new["bands"] = state.get("bands", [])[: bands["keep"]] + bands["steps"]
        new["clients"] = update["clients"]
    return new


def _apply_lanes(lanes, updates):
    known = {lane["id"]: lane for lane in lanes}
    for update in updates:
        before = known[update["id"]]["spans"] if update["id"] in known else []
        lane = {key: value for key, value in update.items() if key != "keep"}
        known[update["id"]] = lane | {"spans": before[: update["keep"]] + update["spans"]}
    return list(known.values())


def common(old, new):
    """Return how many items at the beginning are equal."""
    for number, (one, other) in enumerate(zip(old, new, strict=False)):
        if one is not other and one != other:
            return number
    return min(len(old), len(new))


def _entries(spans, end):
    for span in spans:
        yield span["from"], span["state"]
    if end:
        yield end["t"], end["state"]
