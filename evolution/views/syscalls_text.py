"""The system calls in words and letters: for terminals, screen readers and whatever shows no pictures."""

from evolution.views import marks
from evolution.views import syscalls_state as model

COLUMNS = 56
LETTERS = {"accept": "·", "one": "-", "many": "≡", "other": ".", "work": "█", "fail": "x", "signal": "!"}
BETWEEN = " "


def text(state):
    """Return the text twin of a state of SysCalls; its first line is the sentence."""
    state = model.whole(state)
    said = ("Recorded: " if state["recorded"] else "") + (state["sentence"] or "Nothing has been seen yet.")
    end = max(0.001, state["now"])
    title = f"{state['title'] or 'System calls'}; one column is {marks.time(end / COLUMNS)}"
    used = {}
    lanes = [_row(lane, end, state["now"], used) for lane in state["lanes"]]
    legend = "   ".join(f"{letter} {word}" for letter, word in used.items())
    rows = state["counts"]["rows"]
    lines = (f"{row['word']:>12} {row['each']:>5}  {row['why']}".rstrip() for row in rows)
    costs = [state["counts"]["head"], *lines]
    note = [state["note"], ""] if state["note"] else []
    return "\n".join([said, "", *note, title, *lanes, legend, "", *(costs if rows else [])]).rstrip()


def _row(lane, end, now, used):
    cells = [BETWEEN] * (COLUMNS + 1)
    for span in lane["spans"]:
        key = model.key_of(span).partition(".")
        word = (marks.SLEEPS if key[0] == "sleeps" else marks.SYSCALL)[key[2]][0]
        used.setdefault(LETTERS[key[2]], word)
        first, last = (int(t / end * COLUMNS) for t in (span["from"], model.to(span, now)))
        for column in range(first, min(max(last, first + 1), COLUMNS + 1)):
            if span["kind"] != "wait" or cells[column] == BETWEEN:  # work is short: a sleep must not hide it
                cells[column] = LETTERS[key[2]]
    note = f" {lane['end']['note']}" if lane["end"] else ""
    last = lane["spans"][-1] if lane["spans"] else None
    if last and last["to"] is None:
        note = f" in {model.called(last)}"
    return f"{lane['label'][:16]:16} {''.join(cells)}{note}"
