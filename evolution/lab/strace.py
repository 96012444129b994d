"""The lines of strace(1), read as they come: text in, system calls out.

    reader = Reader()
    for chunk in chunks:
        events += reader.feed(chunk)

A pure parser: it opens nothing and knows no server. It reads what `strace -f -ttt -T` writes with `-o`:

    4711 1795523220.753933 recvfrom(7, "GET / HTT"..., 65536, 0, NULL, NULL) = 27 <0.000009>
    4711 1795523220.754151 accept4(3,  <unfinished ...>
    4712 1795523220.754160 +++ exited with 0 +++
    4711 1795523221.181769 <... accept4 resumed>…) = -1 EINTR (Interrupted system call) <1.027612>
    4711 1795523221.181819 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, …} ---

A call is told when it has come back, so calls are in the order of their ends. Where the text is cut does not
matter; a line that is none of these is counted and left out.
"""

import re
from dataclasses import dataclass

from evolution.lab.strace_calls import TAKES_FD

_LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)", re.DOTALL)
_CALL = re.compile(
    r"(\w+)\((.*)\)\s+= (\?|-?\d+|0x[0-9a-f]+)(?: ([A-Z]\w+))?(?: \((.*)\))?(?: <(\d+\.\d+)>)?", re.DOTALL
)
_BEGUN = re.compile(r"(\w+)\((.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_ENDED = re.compile(r"\+\+\+ (exited with|killed by) (\w+).*\+\+\+")
_SIGNAL = re.compile(r"--- (\w+) (.*) ---")
_CUT = "<unfinished ...>"


@dataclass(frozen=True, slots=True)
class Call:
    """One system call of one thread."""

    tid: int
    name: str
    """The kernel's name: accept4, recvfrom, epoll_wait …"""
    arguments: str
    """As strace shows them, long strings cut."""
    result: int | None
    """None when the call has not come back, or never can (exit_group)."""
    error: str
    """The errno by name, such as EAGAIN; "" when there is none."""
    note: str
    """What strace adds in brackets: "Timeout", the meaning of an errno, the descriptors that are ready."""
    start: float
    """Seconds, on strace's clock (since 1970 with -ttt)."""
    duration: float | None
    """Seconds from the entry to the return; None while it is not over."""

    @property
    def fd(self):
        """The descriptor that the call is about, None where there is none."""
        digits = re.match(r"\d+", self.arguments) if self.name in TAKES_FD else None
        return int(digits[0]) if digits else None

    @property
    def line(self):
        """The call in strace's words."""
        result = "?" if self.result is None else str(self.result)
        words = " ".join(filter(None, [result, self.error, f"({self.note})" if self.note else ""]))
        return f"{self.name}({self.arguments}) = {words}"


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that reached a thread."""

    tid: int
    name: str
    details: str
    start: float


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of a thread."""

    tid: int
    status: int | str
    """The exit status, or the name of the signal that killed it."""
    start: float


class Reader:
    """Reads a trace that comes in pieces. `skipped` counts the lines that were not understood."""

    def __init__(self):
        self.skipped = 0
        self._rest = ""
        self._begun = {}
        """tid: (name, its arguments so far, start) of the calls that have not come back."""

    def feed(self, text):
        """Take a piece of the trace; return the Calls, Signals and Exits that are complete with it."""
        *lines, self._rest = (self._rest + text).split("\n")
        return [event for line in lines for event in self._line(line)]

    def under_way(self):
        """Return the calls that have begun and not come back, as Calls without a result."""
        begun = dict(self._begun)
        line = _LINE.match(self._rest)  # strace writes a call's beginning at once and ends the line later
        if line and (call := _BEGUN.match(line[3])):
            begun[int(line[1])] = (call[1], call[2], float(line[2]))
        return [self._open(tid, *call) for tid, call in begun.items()]

    def _line(self, text):
        line = _LINE.fullmatch(text)
        if not line:
            self.skipped += bool(text)
            return
        tid, t, said = int(line[1]), float(line[2]), line[3]
        if resumed := _RESUMED.fullmatch(said):
            name, before, start = self._begun.pop(tid, (resumed[1], "", None))
            yield from self._call(tid, f"{name}({before}{resumed[2]}", start, t)
        elif ended := _ENDED.fullmatch(said):
            if tid in self._begun:
                call = self._open(tid, *self._begun.pop(tid))
                yield _came_back(call, max(0.0, t - call.start))
            yield Exit(tid, int(ended[2]) if ended[1].startswith("exited") else ended[2], t)
        elif signal := _SIGNAL.fullmatch(said):
            yield Signal(tid, signal[1], signal[2], t)
        elif said.endswith(_CUT) and (begun := _BEGUN.match(said.removesuffix(_CUT).rstrip(" "))):
            self._begun[tid] = (begun[1], begun[2] + (" " if begun[2].endswith(",") else ""), t)
        else:
            yield from self._call(tid, said, t, t)

    def _call(self, tid, said, start, seen):
        call = _CALL.fullmatch(said)
        if not call:
            self.skipped += 1
            return
        name, arguments, result, error, note, took = call.groups()
        number = None if result == "?" else int(result, 0)
        duration = float(took) if took else max(0.0, seen - start) if start is not None else 0.0
        start = seen - duration if start is None else start
        arguments = arguments.replace(_CUT, "").strip(" ")
        yield Call(tid, name, arguments, number, error or "", note or "", start, duration)

    def _open(self, tid, name, arguments, start):
        return Call(tid, name, arguments.rstrip(", "), None, "", "", start, None)


def _came_back(call, duration):
    return Call(call.tid, call.name, call.arguments, None, "", "", call.start, duration)
