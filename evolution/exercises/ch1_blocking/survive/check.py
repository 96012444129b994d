"""Who waits for whom? A polite client, nobody, a silent one, a dripping one, a slow one; each with others behind it."""

import select
import time
from contextlib import suppress

from evolution.course.bench import nap_of
from evolution.course.verdict import TooSlow, Unrecognised, Wrong

DEADLINE = 1.0
PATIENCE = 2.4
"""Seconds after which a client that had 1 s must be gone."""

DRIP = 0.2
"""Seconds between two bytes."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    waited, dropped = bench.together(lambda: nobody_and_silent(bench), lambda: dripping_and_slow(bench))
    return (
        f"behind a silent client, the next one had its answer after {waited:.2f} s",
        f"behind a dripping client, the next one had its answer after {dropped:.2f} s",
        "a client that paused for 0.4 s in the middle of its line was answered",
        "after 1.2 s without anybody, and after all of them, the server was there",
    )


def nobody_and_silent(bench):
    with bench.serve() as server:
        polite(bench, server)
        naps = nobody(bench, server)
        waited = silent(bench, server, naps)
        polite(bench, server)
        return waited


def dripping_and_slow(bench):
    with bench.serve() as server:
        dropped = dripping(bench, server)
        slow(bench, server)
        polite(bench, server)
        return dropped


def expect_hello(client, word, reply):
    """Raises Unrecognised or Crashed unless the reply is hello and the word."""
    if reply.text == b"hello " + word:
        return
    if not client.server.sandbox.alive or reply.silent == "ended":
        raise client.server.crashed(*client.transcript)
    raise Unrecognised(*client.transcript, f"expected hello {word.decode()}")


def polite(bench, server):
    word = bench.word()
    client = server.connect()
    client.send(word + b"\n")
    reply = client.hear(0.5, hold=True)
    if reply.silent == "held":
        doing = server.where() if server.unread(client.port) else ""
        if doing.startswith("asleep in sleep"):
            raise Wrong("sleeps_instead", *client.transcript, f"0.5 s later nobody has read it; the server is {doing}")
        reply = client.hear(PATIENCE, hold=True)
    expect_hello(client, word, reply)
    client.close()


def nobody(bench, server):
    """Nobody comes for a while. Return the time-out with which the server sleeps, if it has one."""
    naps = None
    end = time.monotonic() + DEADLINE + 0.2
    while time.monotonic() < end:
        naps = nap_of(server) or naps
        if server.sandbox.wait(0.05):
            story = ("nobody connects for 1.2 s", server.how_it_ended(), *server.traceback())
            if "TimeoutError" in server.sandbox.errors or "timeout" in server.sandbox.errors:
                raise Wrong("timeout_on_listener", *story)
            raise server.crashed("nobody connects for 1.2 s")
    polite(bench, server)
    return naps


def behind(bench, server, kind):
    """Return (the client in front, a polite one behind it, its word)."""
    front = server.connect()
    front.note(f"a {kind} client connects")
    front.settle()
    after, word = server.connect(), bench.word()
    after.send(word + b"\n")
    return front, after, word


def silent(bench, server, naps):
    begin = time.monotonic()
    front, after, word = behind(bench, server, "silent")
    reply = after.hear(PATIENCE, hold=True)
    took = time.monotonic() - begin
    story = (*front.transcript, *after.transcript)
    ended = not server.sandbox.alive or reply.silent in ("ended", "closes", "resets")
    if ended and server.sandbox.wait(1.0):
        if "TimeoutError" in server.sandbox.errors or "timed out" in server.sandbox.errors or "BlockingIOError" in server.sandbox.errors:
            raise Wrong("timeout_kills_server", *story, server.how_it_ended(), *server.traceback())
        raise server.crashed(*story)
    if reply.silent == "held":
        doing = server.where()
        if "asleep" not in doing:
            raise TooSlow(*story, f"after {took:.1f} s the server is {doing}")
        fact = (f"after {took:.1f} s the next client has no answer; the server is {doing}",)
        if naps is not None:
            raise Wrong("timeout_on_listener", *story, *fact, f"while nobody was there it slept in poll with a time-out of {naps} ms: so Python waits in accept")
        raise Wrong("no_deadline", *story, *fact)
    expect_hello(after, word, reply)
    gone = front.hear(max(0.6, begin + PATIENCE - time.monotonic()), hold=True)
    if gone.silent == "held":
        fact = f"{time.monotonic() - begin:.1f} s after it came the silent client is still connected"
        if took < DEADLINE / 2:  # the next one did not have to wait for it: several are served at once
            raise Unrecognised(*story, fact)
        raise Wrong("leaves_it_open", *story, f"the next client had its answer after {took:.1f} s", fact)
    if gone.text is not None:
        raise Unrecognised(*story, f"the silent client got {gone.text!r}, and should be closed without an answer")
    lived = time.monotonic() - begin
    if gone.silent in ("closes", "resets") and lived < DEADLINE * 0.6:
        raise Unrecognised(*story, f"the silent client was dropped after {lived:.2f} s, it had 1.0 s")
    return took


def dripping(bench, server):
    begin = time.monotonic()
    front, after, word = behind(bench, server, "dripping")
    bytes_sent, answered = 0, False
    last, pause = begin, 0.0
    while time.monotonic() < begin + PATIENCE and not answered:
        with suppress(OSError):
            front.sock.send(b"x")
            front.tell("asked")
            bytes_sent += 1
        pause, last = max(pause, time.monotonic() - last), time.monotonic()
        answered = bool(select.select([after.sock], [], [], DRIP)[0])
    took = time.monotonic() - begin
    if pause > DEADLINE * 0.8:  # no drip any more: a time-out for each recv may have ended it as well
        raise TooSlow(f"a byte every {DRIP} s was the plan; once it took {pause:.1f} s on this machine")
    front.note(f"it sends a byte every {DRIP} s, {bytes_sent} byte{'s' * (bytes_sent != 1)} in {took:.1f} s, no newline")
    if not answered:
        doing = server.where()
        story = (*front.transcript, *after.transcript, f"after {took:.1f} s the next client has no answer; the server is {doing}")
        if not server.sandbox.alive:
            raise server.crashed(*front.transcript, *after.transcript)
        if bytes_sent < PATIENCE / DRIP / 2 or server.unread(front.port):
            raise TooSlow(*story)
        raise Wrong("per_recv_not_per_request", *story)
    reply = after.hear(PATIENCE, hold=True)
    if reply.text is None and server.sandbox.wait(1.0):
        named = "TimeoutError" in server.sandbox.errors
        story = (*front.transcript, *after.transcript, server.how_it_ended(), *server.traceback())
        raise Wrong("timeout_kills_server", *story) if named else server.crashed(*story)
    expect_hello(after, word, reply)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            front.sock.send(b"x")
        except OSError:
            break
        if select.select([front.sock], [], [], DRIP)[0]:
            break
    else:
        raise Wrong("per_recv_not_per_request", *front.transcript, f"the dripping client is still connected after {time.monotonic() - begin:.1f} s")
    front.close()
    return took


def slow(bench, server, tries=4):
    """Half a line, a pause, the other half: in time. The second runs from accept; a late try proves nothing."""
    for _ in range(tries):
        half, rest = bench.word(), bench.word()
        begin = time.monotonic()
        client = server.connect()
        client.settle()
        client.send(half)
        reply = client.hear(0.4, hold=True)
        client.note("client pauses for 0.4 s")
        client.send(rest + b"\n")
        took = time.monotonic() - begin
        if reply.silent == "held":
            reply = client.hear(PATIENCE, hold=True)
        if reply.text == b"hello " + half + rest or took < DEADLINE * 0.8:
            expect_hello(client, half + rest, reply)
            client.close()
            return
        client.close()
    raise TooSlow(f"the pause of 0.4 s became {took:.2f} s long on this machine")
