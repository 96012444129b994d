"""Which misconception does a read_line show? Each probe cuts the stream in another place."""

import time

from evolution.course.bench import Spins, nap_of, shown
from evolution.course.verdict import TooSlow, Unrecognised, Wrong
from evolution.exercises.ch1_blocking.read_line.replies import Raised, Silence, Talk

HOLD = 1.2
"""Seconds of pause in the middle of a line."""

LIMIT = 8192

CALLS_PER_LINE = 3
"""More than this is worth a word: a look at what is there, and one call to take it, are two."""


def check(bench):
    """Return the lines that convinced us. Raises a Finding."""
    talk = Talk(bench)
    try:
        with bench.serve() as server:
            for probe in (
                one_line,
                cut_in_two,
                two_in_one,
                rest_and_cut,
                empty_line,
                next_client,
                not_text,
                too_long,
            ):
                probe(talk, server)
        with bench.serve("pair") as server:
            price = in_turn(talk, server)
    except Wrong as finding:
        if talk.newline_kept:  # the graver mistake has the name; the other one is not passed over
            finding.evidence = (
                *finding.evidence,
                "besides, each line still has its newline, which is not part of it",
            )
        raise
    except Spins as finding:
        raise Wrong("spins_while_waiting", *finding.evidence) from None
    if talk.newline_kept:
        raise Wrong("newline_kept", *talk.blemishes)
    if talk.text:
        raise Wrong("decodes_the_line", *talk.blemishes)
    if talk.blemishes:
        raise Unrecognised(*talk.blemishes)
    return (
        "lines whole, cut, glued together, empty, not text and cut off: each came back as it was sent",
        f"{talk.lines} lines in {talk.connections} connections; the longest {LIMIT:,} bytes",
        *price,
    )


def one_line(talk, server):
    """A whole line, and the client waits for the answer."""
    word = talk.word()
    client = talk.connect(server)
    client.settle()
    client.send(word + b"\n")
    reply = client.hear()
    nap = nap_of(server)
    value = talk.value(client, reply)
    if talk.same(client, value, word):
        talk.finish(client)
        return
    if isinstance(value, Silence) and value.kind == "asleep":
        client.half_close()
        later = talk.value(client, client.hear())
        if talk.same(client, later, word) or later == word + b"\n":
            if nap is not None:
                raise Wrong(
                    "timeout_as_framing", *client.transcript, f"it sleeps in poll with a time-out of {nap} ms"
                )
            raise Wrong(
                "read_until_eof_deadlock", *client.transcript, f"{shown(word)} was complete before that"
            )
    raise talk.unexpected(client, value, word)


def cut_in_two(talk, server):
    """Half a line; the server has read it and sleeps; a pause; the other half.

    Who speaks without falling asleep first takes one recv for a message; who sleeps, and then speaks although
    nothing came, takes a pause for the end.
    """
    word, other = talk.word(), talk.word()
    client = talk.connect(server)
    client.settle()
    nap = nap_of(server)
    begin = time.monotonic()
    client.send(word)
    slept = client.settle()
    read_after = time.monotonic() - begin
    nap = nap_of(server) or nap
    # A time-out that we can see decides how long the pause must be for it to show.
    pause = min(2.5, max(HOLD, nap / 1000 + 0.5)) if nap is not None else HOLD
    reply = client.hear(pause, hold=True)
    if reply.silent != "held":
        value = talk.value(client, reply)
        if isinstance(value, Raised):
            raise talk.unexpected(client, value, word + other)
        if isinstance(value, Silence):
            raise Unrecognised(*client.transcript, "only half of a line was sent")
        waited = f"the reply came {(time.monotonic() - begin) * 1000:.0f} ms after half of the line {shown(word + other)}"
        if slept:
            sleeps = (
                f"it sleeps in poll with a time-out of {nap} ms"
                if nap is not None
                else "it gave up its sleep by itself"
            )
            raise Wrong("timeout_as_framing", *client.transcript, waited, sleeps)
        if nap is None or read_after * 1000 < nap:
            raise Wrong("recv_is_a_message", *client.transcript, waited)
        raise TooSlow(
            *client.transcript, f"it took {read_after:.2f} s to see the server read, its time-out is {nap} ms"
        )
    client.note(f"client pauses for {pause:.1f} s")
    client.send(other + b"\n")
    value = talk.value(client, client.hear())
    if not talk.same(client, value, word + other):
        if isinstance(value, bytes) and value and value in (word, other, other + b"\n"):
            raise Wrong(
                "timeout_as_framing",
                *client.transcript,
                f"got {shown(value)}, expected {shown(word + other)}",
            )
        raise talk.unexpected(client, value, word + other)
    talk.finish(client)


def two_in_one(talk, server):
    """Three lines in one send: three calls, three lines."""
    words = [talk.word() for _ in range(3)]
    client = talk.connect(server)
    client.settle()
    client.send(b"".join(word + b"\n" for word in words))
    for number, word in enumerate(words):
        value = talk.value(client, client.hear())
        if talk.same(client, value, word):
            continue
        if number == 0 and isinstance(value, bytes) and b"\n" in value.rstrip(b"\n"):
            raise Wrong(
                "recv_is_a_message", *client.transcript, f"got {shown(value)}, expected {shown(word)}"
            )
        if number and isinstance(value, Silence) and value.kind == "asleep":
            late = talk.word()
            client.send(late + b"\n")
            after = talk.value(client, client.hear())
            if talk.same(client, after, late):
                raise Wrong(
                    "pipelined_tail_dropped", *client.transcript, f"{shown(words[number])} never came back"
                )
            raise talk.unexpected(client, after, word)
        raise talk.unexpected(client, value, word)
    talk.finish(client)


def rest_and_cut(talk, server):
    """A line and the beginning of the next; then its end."""
    first, begin, end = talk.word(), talk.word(), talk.word()
    client = talk.connect(server)
    client.settle()
    client.send(first + b"\n" + begin)
    talk.expect(client, first)
    client.settle()
    client.send(end + b"\r\n")
    value = talk.value(client, client.hear())
    if not talk.same(client, value, begin + end + b"\r"):
        if value == begin + end:
            fact = f"got {shown(value)}, expected {shown(begin + end)[:-1]}\\r'"
            raise Wrong("strips_too_much", *client.transcript, fact)
        if isinstance(value, bytes) and value.rstrip(b"\r\n") == end:
            raise Wrong(
                "pipelined_tail_dropped",
                *client.transcript,
                f"got {shown(value)}, expected {shown(begin + end)}",
            )
        raise talk.unexpected(client, value, begin + end + b"\r")
    talk.finish(client)


def empty_line(talk, server):
    """Enter, pressed twice, is two lines."""
    word = talk.word()
    client = talk.connect(server)
    client.settle()
    client.send(b"\n\n" + word + b"\n")
    for expected in (b"", b"", word):
        value = talk.value(client, client.hear())
        if not talk.same(client, value, expected):
            if value is None or value == word:
                raise Wrong("eof_is_empty_line", *client.transcript, f"got {value}, expected {expected}")
            raise talk.unexpected(client, value, expected)
    talk.finish(client)


def next_client(talk, server):
    """Half a line and gone; the next client must not get it."""
    half, word = talk.word(), talk.word()
    client = talk.connect(server)
    client.settle()
    client.send(half)
    client.settle()
    talk.finish(client, half)
    after = talk.connect(server)
    after.settle()
    after.note("a new client")
    after.send(word + b"\n")
    value = talk.value(after, after.hear())
    if not talk.same(after, value, word):
        if isinstance(value, bytes) and half in value:
            raise Wrong("rest_shared_between_connections", *client.transcript, *after.transcript)
        raise talk.unexpected(after, value, word)
    talk.finish(after)


def not_text(talk, server):
    """A character cut between its two bytes, and bytes that are no text at all."""
    word = talk.word()
    letter = "é".encode()
    client = talk.connect(server)
    client.settle()
    client.send(word + letter[:1])
    client.settle()
    client.send(letter[1:] + b"\n")
    for expected in (word + letter, b"\xff\xfe" + word):
        value = talk.value(client, client.hear())
        if not talk.same(client, value, expected):
            raised = isinstance(value, Raised) and value.startswith("UnicodeDecodeError")
            other = isinstance(value, bytes) and word in value and len(value) < len(expected) + 8
            if raised or other:
                # A letter that came in two pieces is whole by the end of the line: who decodes then gets it right.
                whole = not expected.endswith(letter) or value == expected.decode("latin-1").encode()
                what = server.traceback() if raised else (f"got {shown(value)}, expected {shown(expected)}",)
                raise Wrong("decodes_the_line" if whole else "decode_before_frame", *client.transcript, *what)
            raise talk.unexpected(client, value, expected)
        if expected.endswith(letter):
            client.send(b"\xff\xfe" + word + b"\n")
    talk.finish(client)


def too_long(talk, server):
    """The longest line allowed; then more than that, with and without a newline to come."""
    client = talk.connect(server)
    client.settle()
    longest = (talk.word() * 2000)[:LIMIT]
    client.send(longest + b"\n")
    value = talk.value(client, client.hear())
    if isinstance(value, Raised) and value.startswith("ValueError"):
        fact = f"the line has {LIMIT:,} bytes, which is allowed; its newline is one more"
        raise Wrong("limit_too_early", *client.transcript, fact)
    if not talk.same(client, value, longest):
        raise talk.unexpected(client, value, longest)
    talk.finish(client)
    for size, end in ((12 * LIMIT, b""), (3 * LIMIT, b"\n"), (LIMIT + 1, b"\n")):
        client = talk.connect(server)
        client.settle()
        line = (talk.word() * 20000)[:size]
        client.send(line + end)
        value = talk.value(client, client.hear())
        if isinstance(value, Raised) and value.startswith("ValueError"):
            client.close()
            continue
        if isinstance(value, Silence) and value.kind in ("asleep", "spinning"):
            unread = server.unread(client.port)
            fact = f"{len(line) - (unread or 0):,} bytes without a newline were taken, {LIMIT:,} are allowed"
            raise Wrong("unbounded_line", *client.transcript, fact)
        if isinstance(value, bytes) and len(value) > LIMIT:
            fact = f"a line of {len(value):,} bytes was returned, {LIMIT:,} are allowed"
            raise Wrong("limit_too_late" if end else "unbounded_line", *client.transcript, fact)
        raise talk.unexpected(client, value, b"ValueError")


def in_turn(talk, server):
    """Two clients at once, read in turn: a line from A, a line from B, the next from A. Return what it cost."""
    a1, a2, b1, b2 = (talk.word() for _ in range(4))
    a, b = talk.connect(server), talk.connect(server)
    b.send(b1 + b"\n" + b2 + b"\n")
    a.send(a1 + b"\n" + a2 + b"\n")
    for client, expected in ((a, a1), (b, b1), (a, a2), (b, b2)):
        value = talk.value(client, client.hear())
        if not talk.same(client, value, expected):
            mixed = isinstance(value, bytes) and any(
                other in value for other in (a1, a2, b1, b2) if other != expected
            )
            if mixed or isinstance(value, Silence):
                raise Wrong(
                    "rest_shared_between_connections",
                    *(f"A: {line}" for line in a.transcript),
                    *(f"B: {line}" for line in b.transcript),
                    f"expected {shown(expected)}",
                )
            raise talk.unexpected(client, value, expected)
    calls = int(server.expect("calls ", 2.0, "to say how often it has called recv"))
    if calls <= CALLS_PER_LINE * 4:
        return ()
    size = sum(len(line) + 1 for line in (a1, a2, b1, b2))
    return (
        f"it is right, and it has its price: {calls} calls of recv for 4 lines of {size} bytes, each a way into the kernel and back",
    )
