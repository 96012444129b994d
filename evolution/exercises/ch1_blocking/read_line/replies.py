"""What a read_line gave back, as host.py tells it: a value, an exception, or silence."""

import ast

from evolution.course.bench import shown
from evolution.course.verdict import Crashed, Unrecognised, Wrong


class Talk:
    """What all probes share: random words, what has been seen so far, and how to read a reply."""

    def __init__(self, bench):
        self.word = bench.word
        self.lines = self.connections = 0
        self.blemishes = ()
        self.newline_kept = self.text = False

    def connect(self, server):
        self.connections += 1
        return server.connect()

    def value(self, client, reply):
        """Return what read_line returned; small faults (a kept newline, str) are noted and mended here.

        Raises Crashed when it raised, or the process ended.
        """
        server = client.server
        if reply.silent == "ended" or (reply.silent in ("closes", "resets") and not server.sandbox.alive):
            raise server.crashed(*client.transcript)
        if reply.silent:
            return Silence(reply)
        kind, _, words = reply.text.partition(b" ")
        if kind == b"raised":
            return Raised(words.decode(errors="replace"))
        if kind != b"returned":
            raise Unrecognised(
                *client.transcript,
                "these are not the words of host.py: does your code send something itself?",
            )
        try:
            value = ast.literal_eval(words.decode())
        except (ValueError, SyntaxError, RecursionError):
            raise Unrecognised(*client.transcript, f"expected bytes or None, got {words[:80]!r}") from None
        if isinstance(value, str | bytearray):
            self.blemish(client, f"expected bytes, got a {type(value).__name__}")
            self.text = self.text or isinstance(value, str)
            value = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
        return value

    def blemish(self, client, words):
        if not self.blemishes:
            self.blemishes = (*client.transcript[-3:], words)

    def same(self, client, value, expected):
        """Return True for the expected line; a kept newline is noted, not judged yet."""
        self.lines += 1
        if type(value) is not type(expected):
            return False
        if value == expected:
            return True
        if expected is not None and value == expected + b"\n":
            self.newline_kept = self.newline_kept or not self.blemishes
            self.blemish(
                client, f"got {shown(value)}, expected {shown(expected)}: the newline is not part of the line"
            )
            return True
        return False

    def expect(self, client, expected):
        """Hear one reply that must be `expected`. Raises Unrecognised or Crashed."""
        value = self.value(client, client.hear())
        if not self.same(client, value, expected):
            raise self.unexpected(client, value, expected)

    def finish(self, client, half=b""):
        """The client ends its side, perhaps in the middle of a line: None, and nothing else, must come."""
        client.half_close()
        value = self.value(client, client.hear())
        if isinstance(value, Silence) and value.kind == "spinning":
            raise Wrong(
                "eof_spin",
                *client.transcript,
                "it used half a second of processor time on a stream that is over",
            )
        if value == b"":
            raise Wrong("eof_is_empty_line", *client.transcript, "got b'', expected None")
        if half and isinstance(value, bytes) and value.rstrip(b"\n") == half:
            raise Wrong("half_line_is_a_line", *client.transcript, f"got {shown(value)}, expected None")
        if value is not None:
            raise self.unexpected(client, value, None)
        client.close()

    def unexpected(self, client, value, expected):
        wanted = shown(expected) if expected is not None else "None"
        if isinstance(value, Silence):
            return Unrecognised(*client.transcript, f"expected {wanted}")
        if isinstance(value, Raised):
            traceback = client.server.traceback()
            if traceback and ": raise " in traceback[-1]:  # on purpose: not a line that broke down
                return Unrecognised(*client.transcript, f"expected {wanted}", *traceback)
            return Crashed(*client.transcript, f"expected {wanted}", *client.server.traceback())
        return Unrecognised(
            *client.transcript,
            f"got {shown(value) if isinstance(value, bytes) else value}, expected {wanted}",
        )


class Silence:
    def __init__(self, reply):
        self.kind, self.doing = reply.silent, reply.doing


class Raised(str):
    """What read_line raised, in words."""

    __slots__ = ()
