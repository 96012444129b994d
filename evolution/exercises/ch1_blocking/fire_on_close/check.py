"""A connection ends in three ways; the witness hears how often on_close was called."""

from evolution.course.verdict import Crashed, Unrecognised, Wrong

NAMES = {
    "end": "the client ends its side",
    "reset": "the client resets",
    "own": "the handler closes",
    "reset while sending": "the client resets before the echo is sent",
}


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    with bench.serve() as server:
        witness = server.connect()
        witness.settle()
        stories = {}
        for way in ("end", "reset", "own", "end", "own", "reset"):
            stories.setdefault(way, []).append(one(bench, server, witness, way))
        for way in ("end", "reset", "own"):
            for story in stories[way]:
                judge(server, stories, way, story)
    return tuple(f"{NAMES[way]}: on_close once, socket closed" for way in stories)


class Story:
    """What one client and the witness saw."""

    def __init__(self, lines):
        self.lines = lines
        self.calls = 0
        self.ending = ""
        self.closed = True
        self.traceback = ()


def one(bench, server, witness, way):
    """Let one connection end; return its Story."""
    client = server.connect()
    client.settle()
    client.sock.settimeout(3)
    for word in (bench.word(), bench.word()):
        echo(server, client, word)
    story = Story(client.transcript)
    if way == "end":
        client.half_close()
    elif way == "reset":
        client.reset()
    else:
        client.send(b"quit")
    if way != "reset":
        story.closed = client.hear().silent in ("closes", "resets")
    while True:
        reply = witness.hear()
        if reply.silent == "ended" or (reply.text is None and not server.sandbox.alive):
            raise server.crashed(*client.transcript)
        if reply.silent == "spinning" and way == "end":
            raise Wrong("eof_spin", *client.transcript, f"serve does not return; the server is {reply.doing}")
        if reply.text is None:
            raise Unrecognised(*client.transcript, f"serve does not return; the server is {reply.doing}")
        client.note(f"witness: {reply.text.decode(errors='replace')}")
        if reply.text.startswith(b"on_close"):
            story.calls += 1
        else:
            story.ending = reply.text.decode(errors="replace")
            if "raised" in story.ending:
                story.traceback = server.traceback()
            return story
        if story.calls > 20:
            return story


def echo(server, client, word):
    """Raises Crashed or Unrecognised unless what is sent comes back."""
    client.send(word)
    try:
        came = client.sock.recv(100)
    except OSError as error:
        came = str(error).encode()
    if came != word:
        if not server.sandbox.alive:
            raise server.crashed(*client.transcript)
        raise Unrecognised(*client.transcript, f"expected the echo {word!r}, got {came!r}; the server is {server.where()}")


def judge(server, stories, way, story):
    lines = (*story.lines, *story.traceback, f"{NAMES[way]}: on_close was called {story.calls} times, expected 1")
    if story.calls > 1:
        raise Wrong("fires_twice", *lines)
    if story.calls == 0:
        if all(each.calls == 0 for several in stories.values() for each in several) and way == "end":
            raise Wrong("never_fires", *lines)
        if way == "reset":
            raise Wrong("forgets_reset", *lines)
        if way == "own":
            raise Wrong("forgets_own_close", *lines)
        raise Unrecognised(*lines)
    if "raised" in story.ending:
        raise Crashed(*lines, f"expected serve to return: {story.ending}")
    if "open" in story.ending or not story.closed:
        raise Wrong("leaves_it_open", *lines, "expected the socket to be closed when serve returns")
