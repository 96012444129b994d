"""What a Timeline state says, without pixels: how far the axis reaches, its ticks, counts by state.

static/timeline_model.js is the browser's half of this.
"""

import bisect
import math

from evolution.views import marks

FAILED = ("refused", "timed_out", "reset")
EMPTY = {
    "title": "",
    "sentence": "",
    "now": 0.0,
    "end": None,
    "running": False,
    "recorded": False,
    "lanes": [],
    "queue": {"limit": None, "steps": []},
    "processes": [],
    "guesses": [],
}


def whole(state):
    """Return the state with every member present."""
    return EMPTY | (state or {})


def reach(state):
    """Return the last moment on the axis, in seconds: the whole run and every prediction."""
    moments = [state["end"] or 0.0, state["now"] or 0.0, *(guess["t"] for guess in state["guesses"])]
    return max(0.001, *moments)


def ticks(end, count):
    """Return [(t, words)] at round moments from 0 to `end` seconds, about `count` of them."""
    rough = end / max(1.0, count)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(n * unit for n in (1, 2, 5, 10) if n * unit >= rough * 0.999)
    factor, name = (1000, "ms") if end < 1 else (1, "s")
    digits = max(0, -math.floor(math.log10(step * factor) + 1e-9))
    moments = [i * step for i in range(int(end / step + 1e-9) + 1)]
    return [(t, f"{t * factor:.{digits}f} {name}" if t else "0") for t in moments]


def crowded(state):
    """Whether the clients are counted in bands instead of having a lane each."""
    return "bands" in state or len(state["lanes"]) > marks.LAYOUT["many"]


def total(state):
    """How many clients there are."""
    return state.get("clients", len(state["lanes"]))


def shown(state):
    """Return the lanes to draw: all, or of a crowd the slowest and the failed, in connecting order."""
    if not crowded(state):
        return state["lanes"]
    ranked = sorted(enumerate(state["lanes"]), key=lambda pair: -_interest(pair[1], state["now"]))
    return [lane for _, lane in sorted(ranked[: marks.LAYOUT["interesting"]], key=lambda pair: pair[0])]


def _interest(lane, now):
    failed = lane["end"] and lane["end"]["state"] in FAILED
    return (1e6 if failed else 0) + waited(lane, now)


def waited(lane, now):
    """Seconds that a client has spent connecting, in the queue, or waiting unseen."""
    waits = (span for span in lane["spans"] if span["state"] in ("queued", "waiting", "connecting"))
    return sum(_to(span, now) - span["from"] for span in waits)


def _to(span, now):
    return max(now, span["from"]) if span["to"] is None else span["to"]


def counts(state, moments):
    """Return {band: [clients at each of `moments`]}, in the bands of marks.RANK.

    At the end of a run that is over, how it ended counts: the last step of the bands, a little later.
    """
    found = {band: [0] * len(moments) for band in marks.RANK}
    if "bands" in state:
        times = [t for t, _ in state["bands"]]
        for i, t in enumerate(moments):
            over = t >= state["now"] and not state["running"]
            at = len(times) - 1 if over else bisect.bisect_right(times, t) - 1
            if at >= 0 and t <= state["now"]:
                for name, n in state["bands"][at][1].items():
                    found["failed" if name in FAILED else name][i] += n
        return found
    for lane in state["lanes"]:
        spans = [(s["state"], s["from"], _to(s, state["now"])) for s in lane["spans"]]
        if lane["end"]:
            name = lane["end"]["state"]
            spans.append(("failed" if name in FAILED else name, lane["end"]["t"], math.inf))
        for name, start, stop in spans:
            for i in range(bisect.bisect_left(moments, start), bisect.bisect_left(moments, stop)):
                found[name][i] += 1
    return found


def length(queue, t):
    """Length of the accept queue at `t`, as the last sample before saw it."""
    at = bisect.bisect_right([when for when, _ in queue["steps"]], t) - 1
    return queue["steps"][at][1] if at >= 0 else 0


def peak(queue):
    """The greatest length that was seen."""
    return max((n for _, n in queue["steps"]), default=0)


def key_of(kind, span):
    """Name of a span's mark in the legend: ``client.queued``, ``process.running``, ``sleeps.many``."""
    if kind == "client":
        return f"client.{span['state']}"
    asleep = span["state"] == "asleep"
    return f"sleeps.{marks.sleep_kind(span.get('note'))}" if asleep else f"process.{span['state']}"


def keys(state):
    """Return the marks that the picture has, in the order of the legend."""
    present = set()
    for table, kind in ((shown(state), "client"), (state["processes"], "process")):
        for lane in table:
            present |= {key_of(kind, span) for span in lane["spans"]}
            present |= {f"ends.{lane['end']['state']}"} if lane["end"] else set()
    if crowded(state):
        named = {name for _, row in state.get("bands", []) for name in row}
        present |= {f"client.{name}" if name in marks.CLIENT else f"ends.{name}" for name in named}
    if peak(state["queue"]):
        present.add("client.queued")
    if state["guesses"]:
        present.add("guess.guess")
    tables = {"client": marks.CLIENT, "ends": marks.ENDS, "process": marks.PROCESS, "sleeps": marks.SLEEPS}
    order = [f"{table}.{name}" for table, names in tables.items() for name in names] + ["guess.guess"]
    return [name for name in order if name in present and name not in ("process.gone", "process.asleep")]


def sections(state):
    """Which parts are there: clients, accept queue, processes. While it runs, all: they may still come."""
    running, queue = state["running"], state["queue"]["steps"]
    return [bool(part or running) for part in ("bands" in state or state["lanes"], queue, state["processes"])]


def beside_ghost(x, wide, taken, low, high):
    """Where the words beside a prediction at `x` stand, as (x, text-anchor).

    They are `wide` px and lie between `low` and `high`; `taken` is [(from, to, whether it is text)] in px.
    Best is a place where nothing is, else one over no other text.
    """
    last = max([x, *(to for _, to, _ in taken)])
    spots = [(x + 9, "start"), (last + 5, "start"), (x - 9, "end")]
    spots += [(max(to + 3, x + 9), "start") for _, to, _ in taken]
    spots += [(min(start - 3, x - 9), "end") for start, _, _ in taken]

    def spread(spot):
        return (spot[0], spot[0] + wide) if spot[1] == "start" else (spot[0] - wide, spot[0])

    def clear(spot, parts):
        return all(spread(spot)[0] >= to or spread(spot)[1] <= start for start, to, _ in parts)

    inside = [spot for spot in spots if spread(spot)[0] >= low and spread(spot)[1] <= high]
    ranked = [spot for spot in inside if clear(spot, taken)]
    ranked += [spot for spot in inside if clear(spot, [part for part in taken if part[2]])]
    return (ranked or inside or spots[2:])[0]


def indent(lane):
    """Pixels by which a process's name is set in: workers and threads belong to the server above them."""
    return 10 * lane.get("depth", 0 if lane["label"].startswith("server") else 1)


def measured(state, guess):
    """The moment that a prediction was about, in seconds: its own `measured`, else the end of its lane."""
    if "measured" in guess:
        return guess["measured"]
    lanes = (*state["lanes"], *state["processes"])
    lane = next((lane for lane in lanes if lane["id"] == guess["lane"]), None)
    return lane["end"]["t"] if lane and lane["end"] else None
