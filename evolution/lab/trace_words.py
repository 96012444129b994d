"""What is said about system calls: what each is for, and one sentence on all of them."""

WHY = {
    "recv": "takes what has arrived",
    "recv (own)": "has a signal come?",
    "send (own)": "wakes the loop",
    "write (own)": "wakes the loop",
    "send": "hands over an answer",
    "sendfile": "hands over a file",
    "accept": "takes a connection out of the queue",
    "accept4": "takes a connection out of the queue",
    "close": "gives a descriptor back",
    "shutdown": "says that nothing more will come",
    "epoll_wait": "asks who is ready; one may serve many",
    "poll": "asks who is ready; one may serve many",
    "select": "asks who is ready; one may serve many",
    "epoll_ctl": "says what to watch",
    "fork": "makes a process",
    "clone": "makes a thread",
    "wait": "takes a child's exit status",
    "waitid": "takes a child's exit status",
    "exit": "ends a thread or a process",
    "kill": "sends a signal",
    "futex": "wakes a thread, or waits for one",
    "ioctl": "makes a socket return instead of sleep",
    "fcntl": "makes a socket return instead of sleep",
    "getsockname": "Python asks what socket this is",
    "getsockopt": "Python asks what socket this is",
    "setsockopt": "sets an option of a socket",
    "read": "reads a pipe or a file",
    "write": "writes to a pipe or a file",
}

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

MOST_NAMED = 2
"""Kinds of calls that the sentence names."""

WORTH_NAMING = 0.05
"""Calls for each request from which on the sentence names a kind."""

MOST_ROWS = 9
"""Kinds of calls that the picture counts; the rest are one row."""

CARRY = ("recv", "send", "sendfile")
"""Calls that carry the bytes of a request; whatever else it costs is the model's doing."""


def sentence(story):
    """Return one or two sentences on a TraceStory, with figures from it."""
    if not story.lanes:
        return "No system call has been seen yet."
    return " ".join(filter(None, (_cost(story), _sleep(story), _undrawn(story))))


def costs(story):
    """Return {"requests", "idle", "head", "rows"}; a row is {"word", "n", "each", "why", "carries"}."""
    found, per = story.counts.most_common(), story.requests or 1
    found.sort(key=lambda row: row[0] not in CARRY)
    rest = found[MOST_ROWS - 1 :] if len(found) > MOST_ROWS else []
    rows = [_row(word, n, per, WHY.get(word, "")) for word, n in found[: len(found) - len(rest)]]
    if rest:
        names = ", ".join(word for word, _ in rest)
        rows.append(_row(f"{len(rest)} others", sum(n for _, n in rest), per, names))
    total = sum(story.counts.values())
    head = f"{_number(total, 'call')}; no request has been answered yet"
    if story.requests:
        head = f"{_figure(total / per)} calls for each of {_number(story.requests, 'request')}"
    return {"requests": story.requests, "idle": story.idle, "head": head, "rows": rows}


def _row(word, n, per, why):
    return {"word": word, "n": n, "each": _figure(n / per), "why": why, "carries": word in CARRY}


def _cost(story):
    if not story.requests:
        return f"{_capital(_number(story.calls, 'system call'))}; no request has been answered yet."
    total, per = sum(story.counts.values()), story.requests
    cost = f"{_capital(_number(per, 'request'))} cost {total:,} system calls"
    cost += f", {_figure(total / per)} each" if per > 1 else ""
    carry = _figure(sum(story.counts[word] for word in CARRY) / per)
    found = [(word, n) for word, n in story.counts.most_common() if word not in CARRY]
    named = [(word, n) for word, n in found if n / per >= WORTH_NAMING][:MOST_NAMED]
    others = " and ".join(f"{word} ({_figure(n / per)})" for word, n in named)
    most = 2 * sum(n for _, n in named) > sum(n for _, n in found)
    rest = f", {'the others are mostly' if most else 'among the others are'} {others}" if others else ""
    return f"{cost}; {carry} of them carry the bytes{rest}."


def _sleep(story):
    """Who slept, how much of the time, and where longest."""
    slept, lived, longest = 0.0, 0.0, None
    for lane in story.lanes.values():
        spans = [*lane.spans, *([lane.open] if lane.open else [])]
        if not spans:
            continue
        lived += (lane.end["t"] if lane.end else story.now) - spans[0]["from"]
        for span in spans:
            if span["kind"] == "wait":
                took = (story.now if span["to"] is None else span["to"]) - span["from"]
                slept += took
                longest = max(longest or (0.0, ""), (took, _call(span)))
    if not longest or not lived:
        return ""
    who = "The server" if len(story.lanes) == 1 else f"The server's {_crew(story)}"
    share, (seconds, where) = min(1.0, slept / lived), longest
    return f"{who} slept {share:.0%} of the time, longest in {where} for {_time(seconds)}."


def _undrawn(story):
    calls = f"the oldest {_number(story.left_out, 'call')}" if story.left_out else ""
    threads = _number(len(story.hidden), "further thread") if story.hidden else ""
    words = " and ".join(filter(None, (calls, threads)))
    return f"Not drawn: {words}." if words else ""


def _crew(story):
    """The lanes in words: "four processes", or "five threads" where there are any."""
    threads = any(lane.process != lane.tid for lane in story.lanes.values())
    return _number(len(story.lanes), "thread" if threads else "process")


def _call(span):
    return span["word"] if span["fd"] is None else f"{span['word']}({span['fd']})"


def _figure(value):
    """Calls for each request: ``2``, ``1.5``, ``0.03``, ``130``."""
    if value >= 100 or (value and float(value).is_integer()):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 0.095 else f"{value:.1f}"


def _number(n, thing):
    ending = "" if n == 1 else "es" if thing.endswith("s") else "s"
    return f"{_SMALL[n] if 0 < n < len(_SMALL) else f'{n:,}'} {thing}{ending}"


def _capital(words):
    return words[0].upper() + words[1:]


def _time(seconds):
    if seconds >= 0.9995:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    ms = seconds * 1000
    return f"{ms:.1f} ms" if ms < 9.95 else f"{ms:.0f} ms"
