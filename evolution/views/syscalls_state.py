"""What a state of the system calls says, without pixels: names on bars, marks.

static/syscalls.js is the browser's half of this.
"""

from evolution.views import marks

EMPTY = {
    "title": "",
    "sentence": "",
    "note": "",
    "now": 0.0,
    "running": False,
    "recorded": False,
    "lanes": [],
    "left_out": 0,
    "counts": {"requests": 0, "idle": 0, "head": "", "rows": []},
}


def whole(state):
    """Return the state with every member present."""
    return EMPTY | (state or {})


def called(span):
    """The call with its descriptor: ``recv(5)``, ``futex``."""
    return span["word"] if span["fd"] is None else f"{span['word']}({span['fd']})"


def names(span):
    """What may be written on a bar, the longest first."""
    short = span["said"] if span["kind"] == "fail" else span["word"]
    return [f"{called(span)} {span['said']}".strip(), f"{span['word']} {span['said']}".strip(), short]


def key_of(span):
    """Name of a span's mark in the legend: ``sleeps.many``, ``syscall.work``."""
    if span["kind"] == "wait":
        return f"sleeps.{marks.sleep_kind(span['word'])}"
    return f"syscall.{span['kind']}"


def keys(state):
    """Return the marks that the picture has, in the order of the legend."""
    present = {key_of(span) for lane in state["lanes"] for span in lane["spans"]}
    present |= {"ends.gone" for lane in state["lanes"] if lane["end"]}
    present |= {"syscall.between"} if state["lanes"] else set()
    tables = {"ends": marks.ENDS, "sleeps": marks.SLEEPS, "syscall": marks.SYSCALL}
    return [name for table, all_ in tables.items() for item in all_ if (name := f"{table}.{item}") in present]


def to(span, now):
    """The end of a call; now, when it has not come back."""
    return max(now, span["from"]) if span["to"] is None else span["to"]
