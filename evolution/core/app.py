"""The course's application: a few routes over HTTP, the same for every server model.

It knows connections and no loop: a model calls on_connect, on_message and on_close, and here the answers
are made. A route is a function that takes a Request and returns a Reply, or bytes for a plain 200; or it
is the Reply itself, when that never changes.
"""

import json
import os
import re
import threading
import time
from functools import lru_cache
from typing import NamedTuple

from evolution.core.http import (
    CONTINUE,
    KNOWN_HEADS,
    KNOWN_SIZE,
    TEXT,
    BadRequest,
    RequestReader,
    response,
    response_head,
)
from evolution.core.worker import complain

MAX_SECONDS = 10
"""The longest that /slow sleeps or /cpu computes."""

MAX_BYTES = 32 << 20
"""The most that /big sends: 33,554,432."""

BLOCK = b"0123456789abcdef" * 65536
"""What /big repeats, 1 MiB. All its replies refer to this one object, so they cost no memory."""

NUMBER = {int: re.compile(r"[0-9]{1,9}"), float: re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")}


class Reply(NamedTuple):
    """What a route answers. `body` is bytes, or a tuple of buffers to be sent one after the other."""

    body: bytes | tuple = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = TEXT


def who(request):
    """Tell the process and the thread that answer; `thread` is a number under /proc/PID/task."""
    thread = threading.current_thread()
    answer = {"pid": os.getpid(), "thread": threading.get_native_id(), "name": thread.name}
    return Reply(json.dumps(answer).encode() + b"\n", content_type="application/json")


def slow(request):
    """Sleep: waiting takes no processor."""
    seconds = number(request, "seconds", 0.5, MAX_SECONDS)
    time.sleep(seconds)
    return b"slept %g s\n" % seconds


def cpu(request):
    """Compute until this thread has had that much of a processor."""
    seconds = number(request, "seconds", 0.2, MAX_SECONDS)
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))
    return b"computed %g s\n" % seconds


def big(request):
    """Send more than the kernel's buffers hold while the client does not read."""
    blocks, rest = divmod(number(request, "bytes", 4 << 20, MAX_BYTES), len(BLOCK))
    return Reply((BLOCK,) * blocks + (memoryview(BLOCK)[:rest],), content_type="application/octet-stream")


def echo(request):
    """Send the body back."""
    return Reply(request.body, content_type="application/octet-stream")


ROUTES = {
    "/": {"GET": Reply(b"hello world!")},
    "/who": {"GET": who},
    "/slow": {"GET": slow},
    "/cpu": {"GET": cpu},
    "/big": {"GET": big},
    "/echo": {"POST": echo},
}
"""For each path, for each method, a route. One for GET answers HEAD too."""

FAILED = Reply(b"this route failed; the server's stderr says how\n", 500)


def number(request, name, default, most):
    """Return a parameter of the query from 0 to `most`, a whole number if `default` is one.

    Raises BadRequest for anything else.
    """
    kind = type(default)
    values = request.query.get(name, ())
    if not values:
        return default
    if len(values) == 1 and NUMBER[kind].fullmatch(values[0]) and kind(values[0]) <= most:
        return kind(values[0])
    noun = "a whole number" if kind is int else "a number"
    raise BadRequest(400, f"expected {name} to be {noun} from 0 to {most}, not {', '.join(values)!r:.80}")


def build(reply, keep_alive, head_only):
    """Return a Reply with a bytes body as a response."""
    body, status, headers, content_type = reply
    return response(
        status, body, content_type=content_type, headers=headers, keep_alive=keep_alive, head_only=head_only
    )


built = lru_cache(maxsize=128)(build)  # for the replies that never change


def refusal(error):
    return Reply(f"{error.reason}\n".encode(), error.status)


class App:
    """Answers the requests of a worker's connections and keeps their deadlines.

    `idle_timeout`: the seconds a connection may be without a request. `request_timeout`: the seconds from
    a request's first byte to its last, however it drips. Change `routes` before the first request: whole
    answers that never change are remembered.
    """

    def __init__(self, idle_timeout=60.0, request_timeout=10.0):
        self.idle_timeout = idle_timeout
        self.request_timeout = request_timeout
        self.routes = {path: dict(methods) for path, methods in ROUTES.items()}
        self._known = {}
        """For the bytes of one whole request, as they came: the answer that never changes, and whether the
        connection stays. A client repeats its own request; then nothing needs to be read or built anew."""

    def attach(self, worker):
        """Become `worker`'s callbacks."""
        worker.on_connect = self.on_connect
        worker.on_message = self.on_message
        worker.on_close = self.on_close

    def on_connect(self, conn):
        conn.deadline = time.monotonic() + self.idle_timeout

    def on_close(self, conn):
        conn.context = None

    def on_message(self, conn, data):
        """Answer what `data` asks: at once if just these bytes were asked before, else by reading them."""
        known = self._known.get(data) if conn.context is None and len(data) <= KNOWN_SIZE else None
        if known is None or conn.stop.requested:
            self.read(conn, data)
            return
        answer, keep_alive = known
        conn.deadline = time.monotonic() + self.idle_timeout
        conn.send(answer)
        if not keep_alive:
            conn.close()

    def read(self, conn, data):
        """Answer all requests that `data` completes, with one send."""
        reader = conn.context or RequestReader()
        answers = []
        request = None
        keep_alive = True
        linger = False
        try:
            for request in reader.feed(data):
                keep_alive = request.keep_alive and not conn.stop.requested
                route = self.route(request)
                if type(route) is Reply:
                    answers.append(built(route, keep_alive, request.method == "HEAD"))
                    if conn.context is None and len(answers) == 1 and keep_alive is request.keep_alive:
                        self.remember(data, reader, answers[0], keep_alive)
                else:
                    keep_alive = self.call(route, request, keep_alive, conn, answers)
                if not keep_alive:
                    linger = reader.leftover
                    break
        except BadRequest as error:
            answers.append(build(refusal(error), False, False))
            keep_alive, linger = False, True
        conn.context = None if reader.untouched else reader
        if reader.midway:
            self.await_rest(conn, first=not conn.midway or request is not None)
            if reader.expects_continue:
                answers.append(CONTINUE)
        else:
            conn.midway = False
            conn.deadline = time.monotonic() + self.idle_timeout
        conn.send(b"".join(answers))
        if not keep_alive:
            conn.close(linger)

    def remember(self, data, reader, answer, keep_alive):
        """Note `answer` for the next time, if `data` was this one request and no more."""
        if len(data) <= KNOWN_SIZE and not reader.leftover:
            if len(self._known) >= KNOWN_HEADS:
                self._known.clear()
            self._known[data] = answer, keep_alive

    def await_rest(self, conn, first):
        """Part of a request is here. Its `first` bytes start the clock; later ones do not."""
        deadline = time.monotonic() + self.request_timeout
        conn.deadline = deadline if first and not conn.stop.requested else min(deadline, conn.deadline)
        conn.midway = True

    def route(self, request):
        """Return the route for this request, or the Reply that says why there is none."""
        methods = self.routes.get(request.path)
        if methods is not None and request.method in methods:
            return methods[request.method]
        if request.path == "*":  # the server as a whole (RFC 9110, 9.3.7)
            methods = {method: None for routes in self.routes.values() for method in routes}
        elif methods is None:
            return Reply(f"expected one of {' '.join(self.routes)}\n".encode(), 404)
        elif request.method == "HEAD" and "GET" in methods:
            return methods["GET"]
        allow = ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}))
        if request.method == "OPTIONS":
            return Reply(b"", 204, (("Allow", allow),))
        return Reply(f"expected one of {allow}\n".encode(), 405, (("Allow", allow),))

    def call(self, route, request, keep_alive, conn, answers):
        """Let a function answer. Return whether the connection stays."""
        try:
            reply = route(request)
            if type(reply) is not Reply:
                reply = Reply(bytes(memoryview(reply)))
        except BadRequest as error:
            reply = refusal(error)
        except Exception as error:
            complain(f"{request.path} raised", error)
            reply, keep_alive = FAILED, False
        keep_alive = keep_alive and not conn.stop.requested  # asked again: the route may have taken long
        head_only = request.method == "HEAD"
        if type(reply.body) is bytes:
            answers.append(build(reply, keep_alive, head_only))
            return keep_alive
        body, status, headers, content_type = reply
        answers.append(response_head(status, sum(map(len, body)), content_type, headers, keep_alive))
        conn.send(b"".join(answers))
        answers.clear()
        for buffer in () if head_only else body:
            conn.send(buffer)
        return keep_alive
