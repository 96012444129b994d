"""What clients and samples might say: short words for the tests of the story."""

from evolution.lab.story import Story

SERVER = 100


def event(client, t, state, **more):
    return {"t": t, "kind": "client", "id": f"c{client}", "state": state, **more}


def connecting(client, t, card="polite", port=None):
    port = 5000 + client if port is None else port
    return event(client, t, "connecting", card=card, label=f"{card} {client}", port=port)


def connection(port, holders=(), accepted=True, state="ESTABLISHED"):
    return {
        "port": port,
        "state": state,
        "accepted": accepted,
        "inode": 9000 + port if accepted else 0,
        "holders": [list(each) for each in holders],
        "unread": 0,
        "unsent": 0,
    }


def queued(port):
    return connection(port, accepted=False)


def process(pid=SERVER, call="accept(3)", state="S", depth=0, threads=()):
    main = {"tid": pid, "state": state, "call": call, "syscall": None, "wchan": ""}
    return {
        "pid": pid,
        "ppid": 1,
        "depth": depth,
        "name": "python",
        "state": state,
        "threads": [main, *threads],
    }


def thread(tid, call):
    return {"tid": tid, "state": "S", "call": call, "syscall": None, "wchan": ""}


def sample(t, *connections, processes=None, took=0.0, length=None, limit=16):
    return {
        "t": t,
        "took": took,
        "processes": [process()] if processes is None else processes,
        "listeners": [] if length is None else [{"inode": 1, "length": length, "limit": limit}],
        "connections": list(connections),
    }


def told(*items, **options):
    """A story to which these events and samples were told."""
    story = Story(**options)
    for item in items:
        story.feed(item) if "kind" in item else story.sample(item)
    return story


def spans(story, client="c1"):
    """[(state, from, to)] of one client."""
    lane = next(each for each in story.as_dict()["lanes"] if each["id"] == client)
    return [(span["state"], span["from"], span["to"]) for span in lane["spans"]]


def ending(client, card="polite", *, at=0.0, asked=True, first=None, end="done", t=None, **more):
    """The events of one client in a few words."""
    yield connecting(client, at, card)
    yield event(client, at, "connected")
    if asked:
        yield event(client, at, "asked")
    if first is not None:
        yield event(client, first, "receiving", bytes=10, total=10)
        yield event(client, first, "answered")
    yield event(client, t if t is not None else (first or at) + 0.1, end, **more)


def finished(*parts, samples=()):
    events = sorted((each for part in parts for each in part), key=lambda each: each["t"])
    story = told(*events, *samples)
    story.finish(story.now)
    return story.as_dict()["sentence"]


def held_by(client, fd=5, pid=SERVER):
    return connection(5000 + client, [(pid, fd)])
