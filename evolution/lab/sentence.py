"""The one sentence in words that says what was seen, with its figures.

"Five clients; the silent one held the server in recv(5) for 2.0 s; the others waited 2.0 s in the queue."

Computed from a Story and from nothing else. Every figure is the client's own or a sample's.
"""

from evolution.lab.clients import CARDS

NOTABLE = 0.1
"""Seconds: a shorter hold or wait in the queue is not worth a clause (two samples apart)."""

NOTHING_YET = "Nothing has happened yet"

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
NUMBERS += ("seven", "eight", "nine", "ten", "eleven", "twelve")


def describe(story):
    """Return the sentence for the story as it is now."""
    if story.running:  # often, and perhaps for ten thousand: from the counts alone
        total = sum(n for state, n in story.counts.items() if state)
        clauses = [_subject(total, story.cards), _now(story.counts)] if total else [NOTHING_YET]
    elif lanes := [lane for lane in story.lanes.values() if lane.state]:
        subject = _subject(len(lanes), {lane.card for lane in lanes})
        clauses = [subject, *_holders(story, lanes), *_answered(lanes), *_failed(lanes)]
    else:
        clauses = ["No client has connected"]
    if story.death:
        clauses.append(_death(story.death))
    if story.ended and not story.running and story.ended["note"] != "complete":
        note = story.ended["note"]
        stopped = f"the experiment was stopped after {seconds(story.end)}"
        clauses.append(stopped if note == "stopped" else note)
    return "; ".join(clauses) + "."


def seconds(value):
    """Return a time with two significant digits: "3.2 ms", "120 ms", "2.0 s", "12 s"."""
    factor, unit = (1, "s") if value >= 0.995 else (1e3, "ms") if value >= 0.000995 else (1e6, "µs")
    amount = float(f"{value * factor:.2g}")
    return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"


def spread(values):
    """Return the smallest and the largest time, or one figure if they read the same."""
    low, high = seconds(min(values)), seconds(max(values))
    if low == high:
        return high
    return f"{low.removesuffix(high[high.index(' ') :])} to {high}"


def number(n):
    """Return a count in words up to twelve, then in digits."""
    return NUMBERS[n] if n < len(NUMBERS) else f"{n:,}"


def _subject(n, cards):
    card = CARDS.get(next(iter(cards))) if len(cards) == 1 else None
    kind = f"{card.label} " if card and " " not in card.label else ""  # "slow reader clients" is no English
    count = number(n)
    return f"{count[0].upper()}{count[1:]} {kind}client{'s' if n > 1 else ''}"


def _who(some, lanes, others=()):
    """Name a group of lanes: "it", "all", "the others", "the silent one", "three silent ones", "four"."""
    n = len(some)
    if n == len(lanes):
        return "it" if n == 1 else "both" if n == 2 else f"all {number(n)}"
    if others and n == len(lanes) - len(others):
        return "the other" if n == 1 else "the others"
    cards = dict.fromkeys(lane.card for lane in some)
    if len(cards) > 2 or not cards.keys() <= CARDS.keys():
        return number(n)
    return " and ".join(_of_card(card, some, lanes) for card in cards)


def _of_card(card, some, lanes):
    """ "the silent one", "one silent one", "the three silent ones", "three silent ones"."""
    n, all_of_them = (sum(lane.card == card for lane in group) for group in (some, lanes))
    if all_of_them == len(lanes):
        return number(n)  # the subject has named the card
    the = "the " if n == all_of_them else ""
    if n == 1:
        return f"{the or 'one '}{CARDS[card].noun}"
    return f"{the}{number(n)} {CARDS[card].noun}s"


def _was(some):
    return "was" if len(some) == 1 else "were"


NOW = {
    "connecting": "connecting",
    "queued": "in the queue",
    "waiting": "connected",
    "served": "being served",
    "sending": "getting an answer",
    "idle": "idle",
    "done": "done",
    "refused": "refused",
    "timed_out": "timed out",
    "reset": "reset",
    "closed": "closed",
}


def _now(counts):
    """While it runs: how many are in which state."""
    return ", ".join(f"{number(counts[state])} {words}" for state, words in NOW.items() if counts[state])


def _holders(story, lanes):
    """Who kept a thread of the server asleep, and for how long."""
    holders = [lane for lane in lanes if lane.seen["held"] >= NOTABLE]
    if not holders:
        return
    longest = max(lane.seen["held"] for lane in holders)
    what = _held_thing(story, {lane.seen["pid"] for lane in holders}, len(holders))
    calls = {lane.seen["call"] for lane in holders}
    names = {call.partition("(")[0] for call in calls}
    call = calls.pop() if len(calls) == 1 else " and ".join(sorted(names))
    limit = "" if len(holders) == 1 else "up to "
    yield f"{_who(holders, lanes)} held {what} in {call} for {limit}{seconds(longest)}"


def _held_thing(story, pids, n):
    main = next((track.id for track in story.tracks), "")
    alone = len(story.tracks) == 1
    if alone:
        return "the server"
    if pids == {None} or pids == {int(main[1:] or 0)}:
        return "a thread of the server" if n == 1 else f"{number(n)} threads of the server"
    return "a worker" if len(pids) == 1 else f"{number(len(pids))} workers"


def _answered(lanes):
    """How long the answered ones waited for the first byte, and whether in the queue."""
    holders = [lane for lane in lanes if lane.seen["held"] >= NOTABLE]
    waited = [lane for lane in lanes if lane.wait is not None and lane.seen["held"] < NOTABLE]
    queued = [lane for lane in waited if _was_queued(lane)]
    at_once = [lane for lane in waited if not _was_queued(lane)]
    if queued:
        who = _who(queued, lanes, holders if not at_once else ())
        waits = spread([lane.wait for lane in queued])
        if all(lane.seen["left_queue"] - lane.seen["asked"] >= 0.8 * lane.wait for lane in queued):
            yield f"{who} waited {waits} in the queue"
        else:
            yield f"{who} waited in the queue and {_was(queued)} answered after {waits}"
    if at_once:
        longest = "" if len(at_once) == 1 else "at most "
        others = holders + queued if holders or queued else ()
        slowest = seconds(max(lane.wait for lane in at_once))
        yield f"{_who(at_once, lanes, others)} {_was(at_once)} answered after {longest}{slowest}"


def _was_queued(lane):
    return lane.wait >= NOTABLE and lane.seen["queued"] > 0


def _failed(lanes):
    """Those who did not get all they wanted: why, as they saw it."""
    rest = [lane for lane in lanes if lane.seen["held"] < NOTABLE or lane.wait is not None]
    groups = {}
    for lane in rest:
        groups.setdefault(_fate(lane), []).append(lane)
    for fate, some in groups.items():
        if fate:
            yield f"{_who(some, lanes)} {fate.format(was=_was(some))}"


def _fate(lane):
    """Say how an end differs from being answered in order; {was} is filled in later."""
    end, seen = lane.end["state"] if lane.end else None, lane.seen
    errno = f" ({seen['errno']})" if seen["errno"] else ""
    if lane.wait is not None and not seen["own"]:
        return f"{{was}} cut short{errno}" if lane.cut_off or end == "timed_out" else ""
    if end == "refused":
        return f"{{was}} refused{errno}"
    if end == "timed_out":
        if seen["connected"] is None:
            return "did not get through"
        return "waited in the queue without an answer" if seen["queued"] >= NOTABLE else "got no answer"
    if end == "reset":
        return "reset by choice" if seen["own"] else f"{{was}} reset by the server{errno}"
    if end == "done" and seen["answers"]:
        return "{was} answered before the request was complete"
    if end == "done" and lane.left_queued:
        return "left while still in the queue"
    if end == "done":
        return "stayed and left without a word" if lane.card in ("silent", "idle") else ""
    if end == "closed" and lane.cut_off:
        return "{was} closed by the server" + (" without an answer" if seen["first_byte"] is None else "")
    return "stayed to the end" if end == "closed" else ""


def _death(event):
    status, how = event.get("status"), ""
    if status is not None:
        how = f" with exit status {status}" if status >= 0 else f", killed by signal {-status}"
    last = event.get("note", "").strip().splitlines()
    words = f": {last[-1].strip().rstrip('.')}" if last else ""
    return f"the server {'died' if status else 'ended'} after {seconds(event['t'])}{how}{words}"
