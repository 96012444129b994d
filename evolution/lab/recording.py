"""Recordings: what was seen in one experiment, as JSON lines, to be looked at again without a server.

The format is described in docs/recordings.md. A recording holds what the two witnesses said (events and
X-rays), not the picture made from it, so that a better picture can be made from it later.
"""

import json
import os
import platform
import sys
import threading
import time
from datetime import date
from pathlib import Path

from evolution.lab.clients import roster
from evolution.lab.delta import delta, patch
from evolution.lab.feed import TICK, Feed
from evolution.lab.story import MOST_LANES, Story
from evolution.lab.trace_story import TraceStory

FORMAT, VERSION = "evolution-recording", 1

KINDS = ("client", "server", "end")

CALLS = ("call", "signal", "exit")
"""Kinds of events that a trace has (trace.py)."""


class RecordingError(ValueError):
    """The file is not a recording that can be read; the message names the line and what was expected."""


class Recording:
    """The events and X-rays of one experiment, in the order in which they came."""

    def __init__(self, title="", *, plan=None, model="", machine=None):
        self.title, self.plan, self.model = title, plan or {}, model
        self.machine = machine or this_machine()
        self.items = []
        """Events (they have a "kind") and X-rays (they have none)."""

    def __len__(self):
        return len(self.items)

    def add(self, item):
        self.items.append(item)

    @property
    def seconds(self):
        """How long the experiment took."""
        return max((item["t"] for item in self.items), default=0.0)

    def story(self):
        """Return the finished Story of this recording."""
        story = self._new_story()
        for item in self.items:
            _tell(story, item)
        story.finish(story.ended["t"] if story.ended else self.seconds)
        return story

    def as_dict(self):
        """Return the Timeline state."""
        return self.story().as_dict()

    def calls(self):
        """Return the TraceStory of the system calls in this recording; without any, an empty one."""
        story = TraceStory(self.title, recorded=True)
        story.feed(item for item in self.items if item.get("kind") in CALLS)
        story.under_way([], self.seconds)
        story.finish()
        return story

    def moment(self, t):
        """Return (Timeline state, X-ray or None) as they were `t` seconds after the start."""
        replay = self.replay()
        for item in self.in_order():
            if _known_at(item) <= t:
                replay._take(item)
        replay.story.advance(t)
        return replay.story.as_dict(), replay.xray

    def in_order(self):
        """Return the items in the order of time; an X-ray counts from when its reading ended."""
        return sorted(self.items, key=_known_at)

    def replay(self, speed=1.0):
        """Return a Replay, a feed like an Experiment. `speed` 2 is twice as fast; inf leaves out no step."""
        return Replay(self, speed)

    def save(self, path):
        """Write the recording; an X-ray is written as what changed since the one before."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for line in self.lines():
                file.write(line + "\n")

    def lines(self):
        """Yield the lines of the file."""
        yield _line(
            {
                "format": FORMAT,
                "version": VERSION,
                "title": self.title,
                "model": self.model,
                "machine": self.machine,
                "plan": self.plan,
            }
        )
        before = {}
        for item in self.items:
            if "kind" in item:
                yield _line(item)
            else:
                yield _line({"kind": "xray", "t": item["t"], "delta": delta(before, item)})
                before = item

    def _new_story(self):
        clients = self.plan.get("clients")
        who = list(roster(self.plan)) if clients and clients <= MOST_LANES else []
        seconds = self.plan.get("seconds") or self.seconds
        return Story(self.title, clients=clients, roster=who, seconds=seconds, recorded=True)


class Replay(Feed):
    """A recording told again at its own pace: start, stop, wait, subscribe as an Experiment has them."""

    def __init__(self, recording, speed=1.0):
        if not speed > 0:
            raise RecordingError(f"expected a speed above 0, such as 1 or 10, not {speed!r}")
        super().__init__(recording._new_story(), recording)
        self.speed = speed
        self._stop, self._thread = threading.Event(), None

    def start(self):
        """Start telling; raises RecordingError the second time."""
        if self._started:
            raise RecordingError("this replay was started before; recording.replay() makes a new one")
        self._started = True
        self._thread = threading.Thread(target=self._work, name="replay", daemon=True)
        self._thread.start()

    def stop(self):
        """End it at once."""
        self._stop.set()
        if self._thread and threading.current_thread() is not self._thread:
            self._thread.join()

    def _work(self):
        began, t = time.monotonic(), 0.0
        pending = self.recording.in_order()[::-1]
        try:
            while pending and not self._stop.is_set():
                t += TICK if self.speed == float("inf") else TICK * self.speed
                self._stop.wait(began + t / self.speed - time.monotonic())  # sleeps here
                while pending and _known_at(pending[-1]) <= t:
                    self._take(pending.pop())
                self.story.advance(min(t, self.recording.seconds))
                self._publish()
        finally:
            self._finish(self.story.now)

    def _take(self, item):
        if item.get("kind") in CALLS:
            return
        if "kind" in item:
            self.story.feed(item)
        else:
            self._take_xray(item)


def load(path):
    """Read a recording. Raises RecordingError with the line's number and what was expected there."""
    with Path(path).open(encoding="utf-8") as file:
        return parse(file, str(path))


def parse(lines, name="recording"):
    """Read a recording from an iterable of lines; `name` is for the errors."""
    recording, before = None, {}
    for number, line in enumerate(lines, 1):
        try:
            if not line.strip():
                continue
            elif recording is None:
                recording = _header(_object(line))
            else:
                item = _item(_object(line), before)
                before = before if "kind" in item else item
                recording.add(item)
        except RecordingError as error:
            raise RecordingError(f"{name}, line {number}: {error}") from None
    if recording is None:
        raise RecordingError(f"{name}, line 1: expected the format {FORMAT!r}, but the file is empty")
    return recording


def this_machine():
    """Return what a figure should be read with: kernel, cores, python, date."""
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "date": date.today().isoformat(),
    }


def _object(line):
    try:
        item = json.loads(line)
    except ValueError:
        item = None
    if not isinstance(item, dict):
        raise RecordingError(f"expected one JSON object, not {line.strip()[:60]!r}")
    return item


def _header(item):
    if item.get("format") != FORMAT:
        raise RecordingError(f"expected the format {FORMAT!r}, not {item.get('format')!r}")
    if item.get("version") != VERSION:
        raise RecordingError(f"expected version {VERSION}, not {item.get('version')!r}: update evolution")
    known = {key: item.get(key) for key in ("plan", "machine")} | {"model": item.get("model", "")}
    recording = Recording(item.get("title", ""), **known)
    try:
        recording._new_story()
    except (LookupError, TypeError, AttributeError) as error:
        raise RecordingError(f"expected a plan, but: {type(error).__name__} {error}") from None
    return recording


def _item(item, before):
    """Return an event as it is, an X-ray put together from the one before; try whether a Story takes it."""
    kind = item.get("kind")
    if kind not in (*KINDS, *CALLS, "xray"):
        raise RecordingError(f"expected a kind out of {', '.join([*KINDS, *CALLS])}, xray; not {kind!r}")
    if not isinstance(item.get("t"), (int, float)):
        raise RecordingError(f'expected a time "t" in seconds, not {item.get("t")!r}')
    try:
        if kind == "xray":
            item = patch(before, item["delta"])
        elif kind == "client":
            item["id"], item["state"]  # must be there
        _tell(Story(), item)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        what = "the changes of an X-ray" if kind == "xray" else f"the members of an event of kind {kind}"
        raise RecordingError(f"expected {what}, but: {type(error).__name__} {error}") from None
    return item


def _known_at(item):
    return item["t"] + item.get("took", 0.0)


def _tell(story, item):
    if item.get("kind") in CALLS:
        TraceStory("").feed([item])  # no part of the Timeline's story; this tells whether it is whole
    elif "kind" in item:
        story.feed(item)
    else:
        story.sample(item)


def _line(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
