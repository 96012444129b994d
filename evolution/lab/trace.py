"""A server started under strace(1): every system call that it makes, told as it happens.

    server = lab.start(epoll_loop, trace=True)
    lab.calls(server)

        kernel ── guard ── server  ←─ watched by ── strace (a grandchild of the guard)
           └──────────── a pipe with strace's lines ──────┘

Three choices make this harmless for the guard's promises (guard.py):

1. `-D` makes strace the grandchild and leaves the server the guard's own child: the signals reach it, its
   death signal stays set, its exit status is its own, and `server.pid` is the server. Where Yama's
   ptrace_scope is 1 a stranger may not be traced, so strace -D lets the server permit it (PR_SET_PTRACER,
   prctl(2)) before it becomes the server.
2. strace opens the pipe by /proc/KERNEL/fd/N, so that no descriptor is inherited: the server has its own and
   no others.
3. `--seccomp-bpf` stops the server at the calls of strace_calls.py and lets all others pass at full speed.

What it costs and what it cannot do: docs/syscalls.md.
"""

import os
import shutil
import sys
import threading
import time
import traceback

from evolution.lab.guarded import Guarded, LaunchError
from evolution.lab.strace import Call, Exit, Reader, Signal
from evolution.lab.strace_calls import WATCHED

# ?: a name that this machine does not have is no error. -q: no "attached" lines. -s: bytes of a string.
OPTIONS = ["-D", "-f", "--seccomp-bpf", "-q", "-ttt", "-T", "-s", "48"]

MOST = 50_000
"""Calls that are kept; of more, the oldest are dropped and counted."""

CHUNK = 1 << 16


class Trace:
    """What strace says about one server. `events` are plain dicts, times in seconds since the first of them.

    {"t", "kind": "call", "tid", "name", "args", "result", "error", "note", "took"}, {"t", "kind": "signal",
    "tid", "name"}, {"t", "kind": "exit", "tid", "status"}. The first is the first socket(2): what Python did
    before, to start, is left out.
    """

    def __init__(self, model):
        self.model = model
        self.epoch = None
        """The moment of the first event, on the clock of time.time(); None before."""
        self._ended = 0.0
        self.dropped = 0
        """How many of the oldest events are not kept any more."""
        self._reader, self._events = Reader(), []
        self._lock, self._over = threading.Lock(), threading.Event()
        self._read_end, self._write_end = os.pipe()
        threading.Thread(target=self._drain, name="trace", daemon=True).start()

    def command(self, command):
        """Return the command that runs `command` under strace with its lines coming here."""
        names = ",".join(f"?{name}" for name in WATCHED)
        pipe = f"/proc/{os.getpid()}/fd/{self._write_end}"
        return ["strace", *OPTIONS, "-e", f"trace={names}", "-o", pipe, *command]

    def attached(self):
        """To be called once strace has the pipe open, or never will: from now on its end is the end."""
        with self._lock:
            if self._write_end is not None:
                os.close(self._write_end)
                self._write_end = None

    @property
    def over(self):
        """True once strace has ended and everything it said has been read."""
        return self._over.is_set()

    @property
    def now(self):
        """Seconds since the first event; of a trace that is over, those to the last."""
        if self.epoch is None:
            return 0.0
        return self._ended if self.over else max(0.0, time.time() - self.epoch)

    def wait(self, timeout=None):
        """Wait up to `timeout` seconds for the end of the trace; return whether it has come."""
        return self._over.wait(timeout)

    def read(self, since=0):
        """Return (events after the first `since`, how many there have been, the calls under way)."""
        with self._lock:
            fresh = self._events[max(0, since - self.dropped) :]
            under_way = [] if self.epoch is None else map(self._told, self._reader.under_way())
            return fresh, self.dropped + len(self._events), list(under_way)

    def recording(self, title=None):
        """Return what has been seen so far as a Recording, to be saved and shown again.

        A call that has not come back is in it, without a result.
        """
        from evolution.lab.recording import Recording  # a server that starts needs no story: 0.1 s less

        events, _, under_way = self.read()
        now = round(self.now, 6)
        cut_off = [call | {"took": round(max(0.0, now - call["t"]), 6)} for call in under_way]
        recording = Recording(title or f"{self.model}: system calls", model=self.model)
        for event in [*events, *cut_off, {"t": now, "kind": "end", "note": "complete"}]:
            recording.add(event)
        return recording

    # --- in the draining thread ---

    def _drain(self):
        try:
            while data := os.read(self._read_end, CHUNK):  # sleeps here
                try:
                    with self._lock:
                        self._take(self._reader.feed(data.decode(errors="replace")))
                except Exception:
                    traceback.print_exc()  # and go on: an undrained pipe would stop the server
        finally:
            os.close(self._read_end)
            self._over.set()

    def _take(self, events):
        for event in events:
            if self.epoch is None:
                if not isinstance(event, Call) or event.name != "socket":
                    continue
                self.epoch = event.start
            self._events.append(told := self._told(event))
            self._ended = max(self._ended, told["t"] + (told.get("took") or 0.0))
        if len(self._events) > MOST:
            surplus = len(self._events) - MOST * 3 // 4  # in large steps: each costs a copy
            del self._events[:surplus]
            self.dropped += surplus

    def _told(self, event):
        told = {"t": round(event.start - self.epoch, 6), "tid": event.tid}
        if isinstance(event, Call):
            took = None if event.duration is None else round(event.duration, 6)
            facts = {"name": event.name, "args": event.arguments, "result": event.result}
            return told | {"kind": "call"} | facts | {"error": event.error, "note": event.note, "took": took}
        if isinstance(event, Signal):
            return told | {"kind": "signal", "name": event.name}
        assert isinstance(event, Exit)
        return told | {"kind": "exit", "status": event.status}


_permitted = False

UNDRAWN = "System calls are not drawn live: strace is"


def refusal():
    """Return "" when a server can be traced here, else one sentence: what is missing and what to do."""
    global _permitted
    if _permitted:  # the look takes 30 ms
        return ""
    if sys.platform != "linux":
        return f"{UNDRAWN} a program of Linux; on Binder there is one."
    if not shutil.which("strace"):
        return f"{UNDRAWN} not installed here; sudo apt-get install strace brings it."
    try:
        with Guarded(["strace", *OPTIONS, "-e", "trace=exit_group", "-o", "/dev/stderr", "true"]) as look:
            look.wait(5)
            said = look.last_words.strip()
    except LaunchError as error:
        said = str(error)
    _permitted = "exit_group(0)" in said
    if _permitted:
        return ""
    why = said.splitlines()[0].removeprefix("strace: ") if said else "it said nothing"
    return f"{UNDRAWN} refused here ({why}); in a container, --cap-add SYS_PTRACE permits it."
