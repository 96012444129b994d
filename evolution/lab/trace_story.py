"""What a trace says, as lanes to be drawn: one for each thread, one span for each system call.

    story = TraceStory("epoll_loop")
    story.feed(events)                   dicts, as trace.Trace tells them
    story.as_dict()                      the state of the view, whole
    story.changes()                      what is new since the last call of changes, for a live view

A span is {"from", "to", "kind", "word", "fd", "said", "group", "words", "child"}; "to" is None while the call
has not come back. "kind" is "wait" for a call that slept, "fail" for one that returned an errno, "work" for
the others, and "signal" for the arrival of one. "child" is the lane of the thread that the call has made.
"""

import re
from collections import Counter

from evolution.lab.strace_calls import PROCESSES, SOCKETS, TAKES_FD, WAITING, WORDS
from evolution.lab.trace_words import WHY, costs, sentence

SLEPT = 0.001
"""Seconds from which on a call that can sleep is said to have slept; strace alone takes 0.1 ms for one."""

MOST_SPANS = 3000
"""Calls that are drawn; of more, the oldest are left out."""

MOST_LANES = 40
"""Threads that are drawn; a further one gets a lane when one has left."""

MOST_WORDS = 200
"""Letters of the kernel's own words that a span keeps."""

READY = {"epoll_wait", "poll", "select"}
IN_VAIN = {"EAGAIN", "ETIMEDOUT", "EINTR"}


class TraceStory:
    """See the module. `lanes`, `requests` and `counts` may be read at any time."""

    def __init__(self, title, *, recorded=False):
        self.title, self.recorded, self.running = title, recorded, not recorded
        self.now = 0.0
        self.lanes = {}
        """tid: Lane, in the order in which they were first seen."""
        self.requests = 0
        """Answers: bytes came in on a socket, and then some went out on it."""
        self.counts = Counter()
        """word: how many calls, from the first connection's accept to the last call about a connection."""
        self.idle = 0
        """Calls that waited for a while and then gave up: nobody had come. They are in no count."""
        self.calls = 0
        """All that there were, idle and hidden ones too."""
        self.left_out = 0
        """Of these, the oldest, which have no span any more."""
        self.hidden = set()
        """The tids of threads that have no lane."""
        self._uncounted = None
        self._asked, self._connections, self._own = set(), set(), set()
        """(process, descriptor): a question came in; accepted; both ends are the server's (socketpair(2))."""

    def feed(self, events):
        """Take events, in the order in which they were told."""
        for event in events:
            self.now = max(self.now, event["t"] + (event.get("took") or 0.0))
            {"call": self._call, "signal": self._signal, "exit": self._exit}[event["kind"]](event)
        self._make_room()

    def under_way(self, calls, now):
        """Take the calls that have not come back, and how late it is: seconds on the events' clock."""
        self.now = max(self.now, now)
        for lane in self.lanes.values():
            lane.open = None
        for call in calls:
            lane = self._lane(call["tid"], call["t"])
            if lane and not lane.end:
                lane.open = _span(call, "wait" if call["name"] in WAITING else "work") | {"to": None}

    def finish(self):
        """There will be nothing more; a call that has not come back ends with the trace."""
        self.running = False
        for lane in self.lanes.values():
            if lane.open:
                lane.spans.append(lane.open | {"to": self.now})
                lane.open = None

    def as_dict(self):
        """Return the state of the view."""
        return self._facts() | {"lanes": [lane.as_dict() for lane in self.lanes.values()]}

    def changes(self):
        """Return what the state has more, or other, than at the last call: see views.syscalls.merge."""
        lanes = [change for lane in self.lanes.values() if (change := lane.changes())]
        return self._facts() | {"kind": "calls", "lanes": lanes, "order": [x.id for x in self.lanes.values()]}

    # --- one event ---

    def _call(self, event):
        self.calls += 1
        lane = self._lane(event["tid"], event["t"])
        slept = event["name"] in WAITING and (event["took"] or 0.0) >= SLEPT
        kind = "wait" if slept else "fail" if event["error"] else "work"
        span = _span(event, kind)
        if event["name"] in ("clone", "clone3", "fork", "vfork") and event["result"]:
            self._born(lane, event, span)
        if lane:
            lane.spans.append(span)
            lane.open = None
        self._count(event, slept)

    def _signal(self, event):
        if lane := self._lane(event["tid"], event["t"]):
            more = {"kind": "signal", "word": event["name"], "fd": None, "said": "", "group": "processes"}
            lane.spans.append(
                {"from": event["t"], "to": event["t"], **more, "words": f"--- {event['name']} ---"}
            )

    def _exit(self, event):
        if lane := self._lane(event["tid"], event["t"]):
            status = event["status"]
            note = f"exited with {status}" if isinstance(status, int) else f"killed by {status}"
            lane.end, lane.open, lane.fresh = {"state": "gone", "t": event["t"], "note": note}, None, True

    def _lane(self, tid, t):
        if tid not in self.lanes:
            if len(self.lanes) >= MOST_LANES:
                self.hidden.add(tid)
                return None
            self.hidden.discard(tid)
            self.lanes[tid] = Lane(tid, "worker" if self.lanes else "server", t)
        return self.lanes[tid]

    def _born(self, parent, event, span):
        """Whose child a thread is, is known when the parent's call returns; it may have begun before."""
        tid, same = event["result"], "CLONE_THREAD" in event["args"]
        child = self._lane(tid, event["t"])
        if parent is None or child is None:
            return
        span["child"] = child.id
        child.name, child.depth, child.fresh = "thread" if same else "worker", parent.depth + 1, True
        child.process = parent.process if same else tid
        if same:
            self._asked = {(child.process if who == tid else who, fd) for who, fd in self._asked}
        else:
            for table in (self._asked, self._connections, self._own):  # a child has a copy of each (fork(2))
                table |= {(tid, fd) for who, fd in table if who == parent.process}

    # --- how many calls a request costs ---

    def _count(self, event, slept):
        name, result, word = event["name"], event["result"], WORDS.get(event["name"], event["name"])
        if slept and (event["error"] in IN_VAIN or (word in READY and result == 0)):
            self.idle += 1
            return
        lane = self.lanes.get(event["tid"])
        process = lane.process if lane else event["tid"]
        fd = _fd(event)
        accepted = name in ("accept", "accept4") and result is not None and result >= 0
        if accepted:
            self._connections.add((process, result))
            self._uncounted = self._uncounted or Counter()
        if name == "socketpair" and (ends := re.search(r"\[(\d+), (\d+)\]", event["args"])):
            self._own |= {(process, int(ends[1])), (process, int(ends[2]))}
        if self._uncounted is None:
            return
        own = (process, fd) in self._own and f"{word} (own)" in WHY
        self._uncounted[f"{word} (own)" if own else _what(event, word)] += 1
        spoken = self._spoken(name, result, (process, fd))
        if accepted or spoken or (process, fd) in self._connections:
            self.counts += self._uncounted
            self._uncounted.clear()
        if name == "close":
            self._connections.discard((process, fd))
            self._own.discard((process, fd))

    def _spoken(self, name, result, socket):
        """Note a question or an answer; return whether there was one."""
        if not result or result < 0 or socket in self._own:
            return False
        if name in ("recvfrom", "recvmsg"):
            self._asked.add(socket)
        elif name in ("sendto", "sendmsg", "sendfile") and socket in self._asked:
            self._asked.discard(socket)
            self.requests += 1
        else:
            return False
        return True

    # --- what is told ---

    def _facts(self):
        facts = {"title": self.title, "running": self.running, "recorded": self.recorded}
        facts |= {"now": round(self.now, 6), "sentence": sentence(self), "counts": costs(self)}
        return facts | {"left_out": self.left_out}

    def _make_room(self):
        drawn = sum(len(lane.spans) for lane in self.lanes.values())
        if drawn <= MOST_SPANS * 3 // 2:
            return
        ends = sorted(span["to"] for lane in self.lanes.values() for span in lane.spans)
        cut = ends[drawn - MOST_SPANS]
        for tid, lane in list(self.lanes.items()):
            self.left_out += lane.leave_out(cut)
            if lane.end and not lane.spans:
                del self.lanes[tid]


class Lane:
    """One thread."""

    def __init__(self, tid, name, t):
        self.tid, self.id, self.name, self.depth, self.process = tid, f"t{tid}", name, 0, tid
        self.begin, self.end, self.spans, self.open = t, None, [], None
        self.fresh = True
        """Whether its name or its end is new to the listener."""
        self._sent, self._sent_open, self._dropped = 0, None, 0

    def as_dict(self):
        spans = [*self.spans, *([self.open] if self.open else [])]
        return self._facts() | {"spans": spans}

    def leave_out(self, cut):
        """Drop the spans that ended before `cut`; return how many."""
        n = next((i for i, span in enumerate(self.spans) if span["to"] >= cut), len(self.spans))
        del self.spans[:n]
        self._dropped += min(n, self._sent)
        self._sent = max(0, self._sent - n)
        return n

    def changes(self):
        """Return what is new: of the spans that the listener has, `drop` at the front, then keep `keep`."""
        new = self.spans[self._sent :]
        if not (new or self._dropped or self.fresh or self.open != self._sent_open):
            return None
        change = self._facts() | {"drop": self._dropped, "keep": self._sent}
        change["spans"] = [*new, *([self.open] if self.open else [])]
        self._sent, self._sent_open, self._dropped, self.fresh = len(self.spans), self.open, 0, False
        return change

    def _facts(self):
        label = f"{self.name} {self.tid}"
        return {"id": self.id, "label": label, "depth": self.depth, "begin": self.begin, "end": self.end}


def _span(event, kind):
    name = event["name"]
    word, fd = WORDS.get(name, name), _fd(event)
    groups = [group for group, names in (("sockets", SOCKETS), ("processes", PROCESSES)) if name in names]
    to = event["t"] + (event["took"] or 0.0)
    span = {"from": event["t"], "to": round(to, 6), "kind": kind, "word": _what(event, word), "fd": fd}
    return span | {"said": _said(event), "group": " ".join(groups), "words": _words(event)}


def _fd(event):
    digits = event["args"].split(",", 1)[0]
    return int(digits) if event["name"] in TAKES_FD and digits.isdigit() else None


def _what(event, word):
    if word == "clone" and "CLONE_THREAD" not in event["args"]:
        return "fork"  # that is what the program has called: fork(2) is a library's clone(2)
    return word


def _said(event):
    if event["error"]:
        return event["error"]
    return "" if event["result"] is None else f"→ {event['result']}"


def _words(event):
    result = "?" if event["result"] is None else str(event["result"])
    said = " ".join(filter(None, [result, event["error"], f"({event['note']})" if event["note"] else ""]))
    came_back = f" = {said}" if event["took"] is not None else " …"
    args = event["args"]
    most = MOST_WORDS - len(came_back)
    return f"{event['name']}({args if len(args) <= most else args[:most] + '…'}){came_back}"
