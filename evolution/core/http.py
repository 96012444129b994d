"""HTTP/1.1 without a socket: bytes in, requests out, replies as bytes.

Bytes are judged as they come (control characters, bare CR or LF, sizes), a head's meaning (see head.py)
once it is complete: so how the stream was cut into pieces never changes the outcome. Sections cited are
RFC 9112's (HTTP/1.1), or RFC 9110's (HTTP semantics) where it is named.
"""

import re
from dataclasses import replace
from http import HTTPStatus

from evolution.core.head import (
    MAX_BODY,
    MAX_FIELDS,
    TOKEN,
    BadRequest,
    Request,
    body_length,
    parse_head,
    split_field,
)

__all__ = ["CONTINUE", "TEXT", "BadRequest", "Request", "RequestReader", "response", "response_head"]

MAX_LINE = 8192  # bytes of a request line; section 3 asks for at least 8,000
MAX_HEAD = 16384  # bytes of a request line with its fields
MAX_CHUNK_LINE = 1024  # bytes of a chunk's size with its extensions, or of one trailer field
MAX_BLANK_LINES = 2  # ignored before a request line (2.2)

KNOWN_HEADS = 512  # how many heads are remembered,
KNOWN_SIZE = 1024  # and of how many bytes at most

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TEXT = "text/plain; charset=utf-8"

CLEAN = re.compile(rb"(?:[\t -~\x80-\xff]+|\r\n)*")  # whole lines of text
QUOTED = r'"(?:[^"\\]|\\.)*"'
CHUNK = re.compile(rf"([0-9A-Fa-f]{{1,8}})(?:;{TOKEN}(?:=(?:{TOKEN}|{QUOTED}))?)*".encode())

_known: dict[bytes, Request] = {}
"""Heads of requests without a body, as they came: a client repeats its own, and need not be parsed again.

Once full it starts anew. A client that sends ever new heads makes it useless, and no worse than that.
"""


class RequestReader:
    """Turns the bytes of one connection into its requests.

        for request in reader.feed(data): ...

    yields, in order, the requests that `data` completes, and raises BadRequest at the first nonsense.
    """

    __slots__ = ("_at", "_blank_lines", "_body", "_data", "_judged", "ended", "expects_continue", "midway")

    def __init__(self):
        self._data = b""
        self._at = 0  # the bytes of _data before it are done with
        self._judged = 0  # how many after it are known to be clean
        self._blank_lines = 0
        self._body = None  # the coroutine that reads it
        self.midway = False
        """Part of a request has arrived: of its head, or all of that but not the body."""
        self.ended = False
        """The last request was this connection's last, or nonsense came: nothing more is read (9.6)."""
        self.expects_continue = False
        """After a feed: the client sends its body once it gets CONTINUE (RFC 9110, 10.1.1)."""

    @property
    def leftover(self):
        """Bytes have come that belong to no request yielded so far."""
        return self._at < len(self._data)

    @property
    def untouched(self):
        """Nothing of a next request has come, not even an empty line: a new reader would do as well."""
        return not (self.midway or self.ended or self._blank_lines)

    def feed(self, data):
        """Take the next bytes; return an iterable of requests, to be used up before the next call."""
        request = _known.get(data) if len(data) <= KNOWN_SIZE else None
        if request is not None and not self.midway and not self.ended:
            self.ended = not request.keep_alive
            self._blank_lines = 0
            return (request,)
        if self.ended:
            return ()
        self._data += data
        self.expects_continue = False
        return self._requests()

    def _requests(self):
        try:
            while not self.ended and self.leftover:
                request = next(self._body) if self._body else self._next_head()
                if request is None:
                    break
                self._body = None
                self.ended = not request.keep_alive
                yield request
        except BadRequest:
            self.ended = True
            raise
        finally:
            self._data = self._data[self._at :]
            self._at = 0
            self.midway = not self.ended and (self._body is not None or self.leftover)

    def _next_head(self):
        """Return the next request, or None while some of it is missing."""
        data, start = self._data, self._at
        end = data.find(b"\r\n\r\n", start)
        if data.startswith(b"\r\n", start):
            return self._skip_blank_line()
        if end < 0:
            self._judged = judge_head(data[start:], self._judged)
            return None
        self._at = end + 4
        self._judged = self._blank_lines = 0
        head = data[start : end + 4]
        if request := _known.get(head):
            return request
        judge_head(head[:-2])
        request = parse_head(head[:-4])
        length = body_length(request)
        if length == 0:
            remember(head, request)
            return request
        self._body = self._read_chunks(request) if length is None else self._read_length(request, length)
        self.expects_continue = request.version != "1.0" and "expect" in request.headers and not self.leftover
        return next(self._body)

    def _skip_blank_line(self):
        self._blank_lines += 1
        if self._blank_lines > MAX_BLANK_LINES:
            raise BadRequest(400, "expected a request line, not more empty lines")
        self._at += 2
        return self._next_head()

    # Bodies are read by coroutines: they yield None while they need more bytes, and then the request.

    def _read_length(self, request, length):
        body = bytearray()
        yield from self._take(length, body)
        yield replace(request, body=bytes(body))

    def _read_chunks(self, request):
        """Section 7.1. Extensions and trailer fields are checked and dropped."""
        body = bytearray()
        while size := parse_chunk_size((yield from self._line(MAX_CHUNK_LINE, 400))):
            if len(body) + size > MAX_BODY:
                raise BadRequest(413, f"expected a body of at most {MAX_BODY} bytes")
            yield from self._take(size, body)
            yield from self._line(0, 400)
        for _ in range(MAX_FIELDS + 1):
            trailer = yield from self._line(MAX_CHUNK_LINE, 431)
            if not trailer:
                break
            split_field(trailer.decode("latin-1"))
        else:
            raise BadRequest(431, f"expected at most {MAX_FIELDS} trailer fields")
        yield replace(request, body=bytes(body))

    def _take(self, size, body):
        while size:
            part = self._data[self._at : self._at + size]
            body += part
            size -= len(part)
            self._at += len(part)
            if size:
                yield

    def _line(self, limit, status):
        while (end := self._data.find(b"\r\n", self._at, self._at + limit + 2)) < 0:
            judge(self._data[self._at : self._at + limit + 2], limit, status)
            yield
        line = self._data[self._at : end + 2]
        judge(line, limit + 2, status)
        self._at = end + 2
        return line[:-2]


def remember(head, request):
    if len(head) <= KNOWN_SIZE:
        if len(_known) >= KNOWN_HEADS:
            _known.clear()
        _known[head] = request


def judge(text, limit, status, judged=0):
    """Return how much of `text` is clean; raise BadRequest when it is hopeless, whatever may follow.

    A CR at its end may still get its LF.
    """
    clean = CLEAN.match(text, judged).end()
    if clean > limit:
        raise BadRequest(status, f"expected at most {limit} bytes, then CRLF")
    if text[clean:] not in (b"", b"\r"):
        raise BadRequest(400, f"expected text and CRLF, not {text[clean : clean + 1]!r}")
    return clean


def judge_head(text, judged=0):
    if text.find(b"\r\n", 0, MAX_LINE + 2) < 0:
        judge(text, MAX_LINE, 414, judged)
    return judge(text, MAX_HEAD, 431, judged)


def parse_chunk_size(line):
    match = CHUNK.fullmatch(line)
    if not match:
        raise BadRequest(400, "expected the size of a chunk in hexadecimal")
    return int(match[1], 16)


def response_head(status, length, content_type=TEXT, headers=(), keep_alive=True):
    """Return a response's head as bytes, `length` being its body's; `headers` are (name, value) pairs.

    `keep_alive` must say what the server will do (9.3).
    """
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    if status not in (204, 304):  # these have no body (RFC 9110, 6.4.1)
        lines += [f"Content-Type: {content_type}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["Connection: keep-alive" if keep_alive else "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def response(status, body=b"", *, head_only=False, **options):
    """Return a whole response; `head_only`, for HEAD, tells the body's length and omits it."""
    head = response_head(status, len(body), **options)
    return head if head_only or status in (204, 304) else head + body
