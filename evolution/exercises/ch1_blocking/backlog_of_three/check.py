"""listen(3), a stopped server, eight clients: what do the guesses betray?"""

import signal
import sys
from pathlib import Path

from evolution.course.predict import Right
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.lab import experiment, launch, procfs

CLIENTS = 8


def measure():
    """Return how many connected and what became of the next, and the Timeline. Raises TooSlow."""
    host = Path(__file__).with_name("host.py")
    with launch.run([sys.executable, "-I", str(host)], model="listen(3), stopped") as server:
        server.signal(signal.SIGSTOP)
        found = experiment.run(server, [("polite", CLIENTS, {"gap": 0.02})], seconds=0.8, title="listen(3), server stopped")
        queue = procfs.listen_queue(server.address.port)
        server.signal(signal.SIGCONT)
    timeline = found.story.as_dict()
    connected = [lane for lane in timeline["lanes"] if any(span["state"] != "connecting" for span in lane["spans"])]
    others = [lane for lane in timeline["lanes"] if lane not in connected]
    if len(timeline["lanes"]) != CLIENTS:
        raise TooSlow(f"expected {CLIENTS} clients to try within 0.8 s, saw {len(timeline['lanes'])}")
    refused = any(lane["end"] and lane["end"]["state"] == "refused" for lane in others)
    facts = {"succeed": len(connected), "next": "refused" if refused else "wait" if others else "succeed"}
    facts["queue"] = f"{queue.length} of {queue.limit}" if queue else "unknown"
    return facts, timeline


def judge(guesses, facts):
    """Return Right, Wrong or Unrecognised."""
    queue = f"the accept queue, as ss shows it: {facts.get('queue', '4 of 3')}"
    count = guesses["succeed"]
    if count == 0:
        return Wrong("needs_accept", queue, "the server was stopped all the time (state T)")
    if count == CLIENTS or guesses["next"] == "succeed":
        return Wrong("unlimited", queue)
    if guesses["next"] == "refused":
        return Wrong("fifth_refused", queue, "no client saw ECONNREFUSED")
    if count == facts["succeed"] - 1:
        return Wrong("backlog_exact", queue)
    if count == facts["succeed"] and guesses["next"] == facts["next"]:
        return Right(queue)
    return Unrecognised(queue)


def marks(guesses):
    """Counts have no place on the axis of time."""
    return []
