"""Lanes for the server's processes and threads, from the samples of /proc."""

from evolution.lab.increments import Track

MOST_TRACKS = 60
"""Lanes for processes and threads."""

STATES = {"R": "running", "T": "stopped", "t": "stopped", "Z": "zombie", "X": "gone"}


class Tracks:
    """One Track for each process and thread that was seen, in the order of appearing; at most MOST_TRACKS."""

    def __init__(self):
        self._known = {}

    def __iter__(self):
        return iter(self._known.values())

    def __len__(self):
        return len(self._known)

    def see(self, xray, t):
        """Take a sample that began at `t`."""
        seen = set()
        for process in xray["processes"]:
            threads = process["threads"] or [
                {"tid": process["pid"], "state": process["state"], "call": None, "wchan": ""}
            ]
            for thread in threads:
                key = f"t{thread['tid']}" if thread["tid"] != process["pid"] else f"p{process['pid']}"
                track = self._known.get(key)
                if track is None:
                    if len(self._known) == MOST_TRACKS:
                        continue
                    track = self._known[key] = Track(key, _name(process, thread))
                seen.add(key)
                track.see(t, *_activity(thread))
        for key, track in self._known.items():
            if key not in seen:
                track.gone(t)


def _activity(thread):
    state = STATES.get(thread["state"], "asleep")
    return state, (thread.get("call") or thread.get("wchan") or "") if state == "asleep" else ""


def _name(process, thread):
    if thread["tid"] != process["pid"]:
        return f"thread {thread['tid']}"
    return f"{'worker' if process['depth'] else 'server'} {process['pid']}"
