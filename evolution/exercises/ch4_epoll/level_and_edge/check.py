"""1,000 bytes, read in pieces of 100: what do the guesses betray about level and edge?"""

import select
import time
from contextlib import closing

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import moves

SIZE, PIECE = 1000, 100
PAUSE = 0.02
"""Seconds of work at each report, so that the eye can count them."""

LAST = 0.3
"""Seconds without a report after which none will come: whatever there was has arrived long ago."""


def measure():
    """Return what epoll reports, and a Timeline with a lane for level and one for edge. Raises TooSlow."""
    level, _, _, first = reports(select.EPOLLIN)
    edge, left, then, second = reports(select.EPOLLIN | select.EPOLLET)
    facts = {"level": level, "edge": edge, "left": left, "then": then}
    return facts, picture(facts, {"level": first, "edge": second})


def reports(events):
    """Read PIECE bytes at each report of SIZE bytes; return (reports, bytes left, bytes of the next recv, spans)."""
    client, conn = moves.pair()
    with closing(client), closing(conn), select.epoll() as epoll:
        conn.setblocking(False)
        epoll.register(conn, events)
        lane, count = Lane(), 0
        client.sendall(bytes(SIZE))
        while lane.asleep(epoll, LAST, SIZE - count * PIECE):
            count += 1
            lane.works(f"report {count}: recv({PIECE})", conn.recv(PIECE))
        left = SIZE - count * PIECE
        client.sendall(b"!")
        if not lane.asleep(epoll, 2.0, left + 1):
            raise TooSlow("one more byte was sent, and nothing was reported within 2 s")
        data = conn.recv(4096)
        lane.works("one more byte: recv(4096)", data)
        return count, left, len(data), lane.spans


class Lane:
    """What the loop does, as spans of a Timeline: asleep in epoll_wait, or at work on a report."""

    def __init__(self):
        self.began, self.spans = time.monotonic(), []

    def asleep(self, epoll, seconds, unread):
        """Wait in epoll; return whether there was a report."""
        return self._note("asleep", f"epoll_wait({epoll.fileno()}), {unread} bytes lie unread", lambda: epoll.poll(seconds))

    def works(self, note, data):
        self._note("running", f"{note} returns {len(data)} bytes", lambda: time.sleep(PAUSE))

    def _note(self, state, note, doing):
        begin = time.monotonic() - self.began
        result = doing()
        self.spans.append({"state": state, "from": round(begin, 6), "to": round(time.monotonic() - self.began, 6), "note": note})
        return result


def picture(facts, lanes):
    """Return the Timeline's state."""
    drawn, last = [], 0.0
    for name, spans in lanes.items():
        end = spans[-1]["to"]
        last = max(last, end)
        drawn.append({"id": name, "label": name, "spans": spans, "end": {"state": "gone", "t": end, "note": ""}})
    sentence = (
        f"{SIZE:,} bytes, {PIECE} read at each report: level-triggered {facts['level']} reports, edge-triggered "
        f"{facts['edge']}, and {facts['left']} bytes lay unread until one more byte came; then recv returned {facts['then']}."
    )
    return {"title": "Level and edge", "sentence": sentence, "now": last, "end": last, "processes": drawn}


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    level, edge, left, then = (guesses[key] for key in ("level", "edge", "left", "then"))
    seen = f"level: {facts['level']} reports; edge: {facts['edge']}, {facts['left']} bytes left unread"
    if edge == facts["level"] and level == facts["level"]:
        return Wrong("et_repeats", seen)
    if level == 1 and edge == facts["edge"]:
        return Wrong("lt_once", seen)
    if edge == facts["edge"] and (left == 0 or then == 1):
        return Wrong("et_loses_data", seen, f"the recv after one more byte returned {facts['then']} bytes")
    if edge == facts["edge"] and left == facts["left"] and then == 0:
        return Wrong("edge_is_one_shot", seen, f"one more byte, and it was reported: {facts['then']} bytes")
    if all(guesses[key] == facts[key] for key in facts):
        return Right(seen)
    return Unrecognised(seen)


def marks(guesses):
    """Counts have no place on the axis of time."""
    return []
