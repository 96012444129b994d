"""From facts to spans: what one client was in, from when to when, as far as somebody saw it.

Two witnesses speak. The client tells its own side (facts: connecting, connected, asked, receiving …), exact
to the microsecond. The samples of /proc say whether the kernel still holds its connection or a process does;
a sample is not a moment but an interval, from when its reading began to when it ended. Nothing is guessed:

- "queued" begins at the first sample that saw the connection unaccepted and ends where the next one saw
  something else, or at the first byte of the answer;
- "served" begins at the end of the first sample that saw a holder;
- where no witness speaks, the client is "waiting": connected, and not sampled.
"""

from bisect import bisect_left
from math import inf

QUEUED, HELD, CALLED, UNKNOWN = "queued", "held", "called", "unknown"
"""What a sample saw: not accepted yet; a process has a descriptor; a thread is in a call on it; neither."""

WORDS = {
    QUEUED: "inode 0 in /proc/net/tcp: no accept yet",
    HELD: "held as descriptor {}",
    CALLED: "{}",
    UNKNOWN: "{}",
}
"""The kernel's words for each of them."""

ENDS = frozenset({"done", "refused", "timed_out", "reset", "closed"})

RISE = 0.05
"""Share of an answer that must have come for a new span of "sending"."""


class Run:
    """Consecutive samples that saw the same of one connection: the numbers of the first and the last.

    `key` is (kind, pid or None, the call or the descriptor, inode): equal keys, equal sight.
    """

    __slots__ = ("first", "key", "kind", "last", "note", "pid")

    def __init__(self, key, first, last=None):
        self.key = key
        self.kind, self.pid, what, _ = key
        self.note = WORDS[self.kind].format(what)
        self.first = first
        self.last = first if last is None else last

    def since(self, first):
        """Return the part of it from sample number `first` on, None when there is none."""
        if first <= self.first:
            return self
        return Run(self.key, first, self.last) if first <= self.last else None


class Samples:
    """When the samples were taken: `starts[i]` and `ends[i]`, in seconds."""

    def __init__(self):
        self.starts, self.ends = [], []

    def __len__(self):
        return len(self.starts)

    def add(self, start, end):
        self.starts.append(start)
        self.ends.append(end)

    def ending_after(self, t):
        """Return the number of the first sample that ended after `t`, or at it."""
        return bisect_left(self.ends, t)


def client_spans(facts, runs, samples):
    """Return (spans, end, seen) of one client.

    `facts` are its events in order; `runs` what the samples saw of its connection. `seen` holds the figures
    for the sentence: connected, asked, first_byte and left_queue (s, or None), how many answers, queued and
    held (s), the call and the process that it held; of its end whether it was its own doing, and the errno.
    """
    clearing = [fact["t"] for fact in first_bytes_and_pauses(facts)]
    cuts = [(fact["t"], 0, fact) for fact in facts]
    for run in runs:
        cuts += _evidence(run, clearing, samples)
    cuts.sort(key=lambda cut: cut[:2])
    builder = _Builder()
    for t, is_sample, what in cuts:
        builder.walk_to(t)
        if is_sample:
            builder.run = what
        else:
            builder.take(what)
        if builder.end:
            break
        builder.cut(t)
    return builder.spans, builder.end, builder.seen


def first_bytes_and_pauses(facts):
    """Yield the facts after which an earlier sample says nothing any more: the server has moved on."""
    before = None
    for fact in facts:
        state = fact["state"]
        if state == "idle" or (state == "receiving" and before != "receiving"):
            yield fact
        before = state


def _evidence(run, clearing, samples):
    """Yield (t, 1, run) where a run begins to speak and (t, 1, None) where the next sample contradicts it."""
    starts, ends = samples.starts, samples.ends
    index = run.first
    gone = ends[run.last + 1] if run.last + 1 < len(ends) else inf
    for until in (*clearing, inf):
        if index > run.last:
            return
        if starts[index] < until:
            # queued is true since the handshake, so since the sample began; held only once it was seen
            begins = starts[index] if run.kind == QUEUED else ends[index]
            if begins < until:
                yield begins, 1, run
            if gone < until:
                yield gone, 1, None
                return
        index = bisect_left(starts, until, index)


class _Builder:
    """Walks through the cuts in order of time."""

    def __init__(self):
        self.spans, self.end = [], None
        self.phase, self.run = None, None
        self.share, self.arrived = None, ""
        self.t = 0.0
        self.seen = {
            "connected": None,
            "asked": None,
            "first_byte": None,
            "answers": 0,
            "queued": 0.0,
            "left_queue": None,
            "held": 0.0,
            "call": None,
            "pid": None,
            "own": False,
            "errno": "",
        }

    def walk_to(self, t):
        """Count what lasted until `t`."""
        kind, seen = self.run.kind if self.run else None, self.seen
        if kind == QUEUED and self.phase in ("open", "asked"):
            seen["queued"] += t - self.t
            seen["left_queue"] = t
        elif kind == CALLED and self.phase in ("open", "idle", "sending"):  # a thread sleeps because of it
            seen["held"] += t - self.t
            seen["call"], seen["pid"] = self.run.note, self.run.pid
        self.t = t

    def take(self, fact):
        """Let one fact from the client's side change the phase."""
        state, seen = fact["state"], self.seen
        if state in ENDS:
            seen["own"], seen["errno"] = fact.get("own", False), fact.get("errno", "")
            self.end = {"state": state, "t": fact["t"], "note": fact.get("note", "")}
            self._close(fact["t"])
        elif state == "connected":
            seen["connected"] = fact["t"]
            self.phase = "open"
        elif state == "receiving":
            if seen["first_byte"] is None:
                seen["first_byte"] = fact["t"]
            if self.phase != "sending":
                self.run = None
            self.phase = "sending"
            self._arrived(fact.get("bytes") or 0, fact.get("total"))
        elif state == "answered":
            seen["answers"] += 1
        elif state == "idle":
            self.phase, self.run = "idle", None
        else:
            if state == "asked" and seen["asked"] is None:
                seen["asked"] = fact["t"]
            self.phase = state

    def _arrived(self, got, total):
        self.share = got / total if total else None
        self.arrived = f"{got:,} of {total:,} bytes" if total else f"{got:,} bytes"

    def cut(self, t):
        """Close the current span at `t` and open the next, if anything is different now."""
        if self.phase is None:  # a sample, but the client has not said a word yet
            return
        new = self._span(t)
        if self.spans and self.spans[-1]["to"] is None:
            last = self.spans[-1]
            if _alike(last, new):
                last.update(new | {"from": last["from"], "note": new["note"] or last["note"]})
                return
            self._close(t)
        self.spans.append(new)

    def _span(self, t):
        state, run = self._state(), self.run
        span = {"state": state, "from": t, "to": None, "note": ""}
        if state == "sending":
            span["note"] = self.arrived
            if self.share is not None:
                span["share"] = round(self.share, 4)
        elif run and state != "connecting":
            span["note"] = run.note
        if run and run.pid and state in ("served", "sending"):
            span["pid"] = run.pid
        return span

    def _state(self):
        phase, kind = self.phase, self.run.kind if self.run else None
        if phase in ("connecting", "sending"):
            return phase
        if kind == CALLED or (kind == HELD and phase == "asked"):
            return "served"
        if kind == QUEUED and phase != "idle":
            return "queued"
        return "idle" if kind == HELD or phase == "idle" else "waiting"

    def _close(self, t):
        if not self.spans:
            return
        last = self.spans[-1]
        last["to"] = t
        if last["from"] == t and last["state"] != "sending":
            self.spans.pop()


def _alike(last, new):
    if last["state"] != new["state"]:
        return False
    if new["state"] == "sending":
        return (new.get("share") or 0) - (last.get("share") or 0) < RISE
    if new["state"] == "idle" and not (last["note"] and new["note"]):
        return True
    return last["note"] == new["note"] and last.get("pid") == new.get("pid")
