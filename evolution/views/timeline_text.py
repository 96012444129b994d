"""The timeline in words and letters: for terminals, screen readers and whatever shows no pictures."""

from evolution.views import marks
from evolution.views.timeline_state import counts, crowded, peak, reach, sections, shown, total, whole

COLUMNS = 56
LETTERS = {
    "connecting": "~",
    "queued": "□",
    "waiting": "▫",
    "served": "■",
    "sending": "◢",
    "idle": "─",
    "running": "█",
    "stopped": "/",
    "zombie": "Z",
    "gone": " ",
    "accept": "·",
    "one": "-",
    "many": "≡",
    "other": ".",
}
ENDS = {"done": "●", "closed": "○", "refused": "x", "timed_out": "⧗", "reset": "ϟ", "gone": "|"}


def text(state):
    """Return the text twin of a Timeline state; its first line is the sentence."""
    state = whole(state)
    end, lines, used = reach(state), [], {}
    for lane in shown(state):
        lines.append(_row(lane, "client", end, state["now"], used))
    sleepers = [_row(lane, "process", end, state["now"], used) for lane in state["processes"]]
    queue = state["queue"]
    limit = f" of {queue['limit']:,}" if queue["limit"] else ""
    head = f"{_said(state)}\n\n{_title(state)}; one column is {marks.time(end / COLUMNS)}"
    crowd = [_bands(state, end)] if crowded(state) else []
    said = f"accept queue: at most {peak(queue):,}{limit}"
    legend = "   ".join(f"{letter} {word}" for letter, word in used.items())
    marked = _guesses(state)
    said = [said] if sections(state)[1] else []
    return "\n".join([head, *crowd, *lines, *said, *sleepers, *marked, legend])


def _said(state):
    return ("Recorded: " if state["recorded"] else "") + (state["sentence"] or "Nothing has been seen yet.")


def _title(state):
    return state["title"] or "Timeline"


def _row(lane, kind, end, now, used):
    cells = [" "] * (COLUMNS + 1)
    for span in lane["spans"]:
        asleep = span["state"] == "asleep"
        name = marks.sleep_kind(span["note"]) if asleep else span["state"]
        table = marks.SLEEPS if asleep else marks.CLIENT if kind == "client" else marks.PROCESS
        stop = now if span["to"] is None else span["to"]
        first, last = int(span["from"] / end * COLUMNS), int(stop / end * COLUMNS)
        if LETTERS[name].strip():
            used.setdefault(LETTERS[name], table[name][0])
        for column in range(first, min(max(last, first + 1), COLUMNS)):
            cells[column] = LETTERS[name]
    note = ""
    if lane["end"]:
        name, t = lane["end"]["state"], lane["end"]["t"]
        used.setdefault(ENDS[name], marks.ENDS[name][0])
        cells[min(int(t / end * COLUMNS), COLUMNS)] = ENDS[name]
        why = f", {lane['end']['note']}" if lane["end"]["note"] else ""
        note = f" {marks.ENDS[name][0]} at {marks.time(t)}{why}"
    elif kind == "process" and lane["spans"]:
        last = lane["spans"][-1]
        note = f" {last['state']} {last['note']}".rstrip()
    return f"{lane['label'][:16]:16} {''.join(cells)}{note}"


def _bands(state, end):
    row = {band: n[0] for band, n in counts(state, [min(end, state["now"])]).items() if n[0]}
    said = ", ".join(f"{n:,} {_word(band)}" for band, n in row.items())
    return f"{total(state):,} clients, at the end {said}; the first of each kind, the slowest, the failed:"


def _word(band):
    return marks.CLIENT[band][0] if band in marks.CLIENT else band


def _guesses(state):
    labels = {lane["id"]: lane["label"] for lane in (*state["lanes"], *state["processes"])}
    for guess in state["guesses"]:
        yield f"{guess['label']}: {labels.get(guess['lane'], 'all')} at {marks.time(guess['t'])}"
