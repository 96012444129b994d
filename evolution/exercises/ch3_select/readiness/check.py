"""Seven sockets in seven states, and what select says of each: what do the guesses betray?"""

import select
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong

SETS = ("read", "write", "exceptional")
WORDS = {(): "none", SETS: "all three"}
"""All other answers are the sets' names with "and" between them."""

SLEEP = 0.2
"""Seconds that select may sleep for one question of the picture."""

ARRIVES = 2.0
"""Seconds in which what one end does must have arrived at the other, 30 µs away."""


def measure():
    """Return what select says of each socket, in words, and how long each question had to wait. Raises TooSlow."""
    with ExitStack() as stack:
        socks = {key: make(stack) for key, make in STATES.items()}
        facts = {key: look(sock) for key, sock in socks.items()}
        questions = [(key, what) for key in socks for what in ("read", "write")]
        with ThreadPoolExecutor(len(questions)) as pool:
            waits = list(pool.map(lambda each: wait(socks[each[0]], each[1]), questions))
    return facts, picture(questions, waits)


def wait(sock, what):
    """Return (seconds that select slept for this one question, whether the socket was ready)."""
    begin = time.monotonic()
    sets = select.select([sock] * (what == "read"), [sock] * (what == "write"), [], SLEEP)
    return time.monotonic() - begin, any(sets)


def picture(questions, waits):
    """Return a Timeline with a lane for each question: asleep in select as long as that took."""
    lanes = []
    for number, ((key, what), (seconds, ready)) in enumerate(zip(questions, waits, strict=True)):
        state, note = ("running", "ready at once") if ready else ("asleep", f"select, until its time-out of {SLEEP} s")
        spans = [{"state": state, "from": 0.0, "to": round(seconds, 6), "note": note}]
        end = {"state": "gone", "t": round(seconds, 6), "note": note}
        lanes.append({"id": f"q{number}", "label": f"{key}: {what}", "spans": spans, "end": end})
    at_once = sum(ready for _, ready in waits)
    sentence = f"Seven sockets, {len(waits)} questions: {at_once} were answered at once, the others slept until their time-out."
    last = round(max(seconds for seconds, _ in waits), 6)
    return {"title": "Would it have to wait?", "sentence": sentence, "now": last, "end": last, "processes": lanes}


def look(sock):
    """Ask select once, without waiting, about all three sets."""
    sets = select.select([sock], [sock], [sock], 0)
    found = tuple(name for name, ready in zip(SETS, sets, strict=True) if ready)
    return WORDS.get(found, " and ".join(found))


def says(guess, name):
    """Whether an answer has this set among its own."""
    return name in guess or guess == WORDS[SETS]


def pair(stack):
    """Two ends of a TCP connection: (client, conn)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = stack.enter_context(socket.create_connection(listener.getsockname(), ARRIVES))
        conn = stack.enter_context(listener.accept()[0])
    conn.setblocking(False)
    return client, conn


def arrived(readable, exceptional=()):
    """Wait until something has arrived. Raises TooSlow."""
    if not any(select.select(readable, [], exceptional, ARRIVES)):
        raise TooSlow(f"within {ARRIVES:g} s nothing had arrived at the other end of a connection on this machine")


def listener_waiting(stack):
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    stack.enter_context(socket.create_connection(listener.getsockname(), ARRIVES))
    arrived([listener])
    return listener


def sent_unread(stack):
    client, conn = pair(stack)
    conn.send(bytes(1000))
    arrived([client])
    return conn


def half_line(stack):
    client, conn = pair(stack)
    client.send(b"GET /ind")
    arrived([conn])
    return conn


def ended(stack):
    client, conn = pair(stack)
    client.shutdown(socket.SHUT_WR)
    arrived([conn])
    return conn


def reset(stack):
    client, conn = pair(stack)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    arrived([conn])
    return conn


def full(stack):
    _, conn = pair(stack)
    for _ in range(1000):  # until the kernel has had nothing more to take for a while
        try:
            while True:
                conn.send(bytes(1 << 20))
        except BlockingIOError:
            if not select.select([], [conn], [], 0.05)[1]:
                return conn
    raise TooSlow("a client that does not read could not be filled up on this machine")


def urgent(stack):
    client, conn = pair(stack)
    client.send(b"!", socket.MSG_OOB)
    arrived([], [conn])
    return conn


STATES = {
    "listener": listener_waiting,
    "sent": sent_unread,
    "half": half_line,
    "ended": ended,
    "reset": reset,
    "full": full,
    "urgent": urgent,
}


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    if guesses["listener"] != facts["listener"] and not says(guesses["listener"], "read"):
        return Wrong("listener_never_readable", f"a listener with a client in its queue: {facts['listener']}")
    if not says(guesses["half"], "read"):
        return Wrong("readable_means_whole_message", "recv on it returns b'GET /ind' at once")
    if says(guesses["ended"], "exceptional") or says(guesses["reset"], "exceptional"):
        return Wrong("errors_in_xlist", "recv on the ended one returns b'', on the reset one it raises ConnectionResetError; both at once")
    if not says(guesses["ended"], "read"):
        return Wrong("eof_not_readable", "recv on it returns b'' at once")
    if not says(guesses["sent"], "write"):
        return Wrong("writable_means_peer_read", "1,000 bytes are in the kernel's buffer, and there is room for more")
    if says(guesses["full"], "write"):
        return Wrong("always_writable", "send on it raises BlockingIOError: not one byte fits")
    if says(guesses["urgent"], "read"):
        return Wrong("urgent_is_in_the_stream", "recv on it raises BlockingIOError; recv(1, socket.MSG_OOB) returns b'!'")
    return Right() if guesses == facts else Unrecognised()


def marks(guesses):
    """A set has no place on the axis of time."""
    return []
