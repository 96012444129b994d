"""The application's routes, closings and deadlines, on a connection that only remembers."""

import json
import math
import os
import threading

import pytest

from evolution.core import app as module
from evolution.core import http
from evolution.core.app import App, Reply
from evolution.core.signals import Stop

HEAD = b"HTTP/1.1\r\nHost: a\r\n"


class Wire:
    """A connection as the application sees it: what was sent, with how many sends, and how it was closed."""

    def __init__(self, app):
        self.context, self.deadline, self.midway, self.stop = None, math.inf, False, Stop()
        self.closed, self.sends = None, []
        self.app = app
        app.on_connect(self)

    def send(self, data):
        if data:
            assert self.closed is None
            self.sends.append(data)

    def close(self, linger=False):
        self.closed = "lingering" if linger else "at once"

    def get(self, data):
        """Feed bytes; return what was sent for them."""
        self.sends.clear()
        self.app.on_message(self, data)
        return b"".join(self.sends)


class Clock:
    """A time.monotonic that stands still until it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock)
    return clock


@pytest.fixture
def conn():
    http._known.clear()
    return Wire(App())


def ask(line, *fields, body=b""):
    fields = b"".join(field + b"\r\n" for field in fields)
    return line + b" " + HEAD + fields + b"\r\n" + body


def split(answer):
    """Return a response's status, fields and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    return int(line.split()[1]), dict(line.split(": ") for line in lines), body


def test_hello(conn):
    for _ in range(2):
        assert conn.get(ask(b"GET /")) == (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\n"
            b"Connection: keep-alive\r\n\r\nhello world!"
        )
        assert conn.closed is None


def test_head_tells_the_length_only(conn):
    for path in (b"/", b"/who", b"/big?bytes=5000000"):
        full = conn.get(ask(b"GET " + path))
        assert conn.get(ask(b"HEAD " + path)) == full[: full.index(b"\r\n\r\n") + 4]


def test_who(conn):
    status, fields, body = split(conn.get(ask(b"GET /who")))
    assert (status, fields["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {
        "pid": os.getpid(),
        "thread": threading.get_native_id(),
        "name": threading.current_thread().name,
    }


def test_slow_sleeps(conn, monkeypatch):
    naps = []
    monkeypatch.setattr(module.time, "sleep", naps.append)
    assert split(conn.get(ask(b"GET /slow?seconds=1.25")))[::2] == (200, b"slept 1.25 s\n")
    assert split(conn.get(ask(b"GET /slow?seconds=10")))[::2] == (200, b"slept 10 s\n")
    conn.get(ask(b"GET /slow"))
    assert naps == [1.25, 10, 0.5]


def test_cpu_computes(conn):
    before = module.time.thread_time()
    assert split(conn.get(ask(b"GET /cpu?seconds=0.02")))[::2] == (200, b"computed 0.02 s\n")
    assert module.time.thread_time() - before >= 0.02


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 5, 32 << 20])
def test_big(conn, size):
    status, fields, body = split(conn.get(ask(b"GET /big?bytes=%d" % size)))
    assert (status, fields["Content-Length"]) == (200, str(size))
    assert body == (b"0123456789abcdef" * (size // 16 + 1))[:size]


def test_big_replies_share_one_block(conn):
    conn.get(ask(b"GET /") + ask(b"GET /big?bytes=5000000") * 100 + ask(b"GET /"))
    blocks = [data for data in conn.sends if data is module.BLOCK]
    assert len(blocks) == 400
    assert all(data.obj is module.BLOCK for data in conn.sends if type(data) is memoryview)
    assert sum(len(data) for data in conn.sends if type(data) is bytes and data is not module.BLOCK) < 20000


def test_echo(conn):
    body = bytes(range(256))
    answer = conn.get(ask(b"POST /echo", b"Content-Length: 256", body=body))
    assert split(answer)[0] == 200 and answer.endswith(b"\r\n\r\n" + body)
    assert b"Content-Length: 256\r\n" in answer


@pytest.mark.parametrize(
    "target",
    [
        *(b"/slow?seconds=10.1", b"/slow?seconds=-1", b"/slow?seconds=nan", b"/slow?seconds=inf"),
        *(
            b"/slow?seconds=1e1",
            b"/slow?seconds=",
            b"/slow?seconds=1&seconds=1",
            b"/slow?seconds=1_0",
            b"/slow?seconds=%D9%A1",
        ),
        *(b"/cpu?seconds=x", b"/big?bytes=33554433", b"/big?bytes=1.0", b"/big?bytes=+1", b"/big?bytes=-1"),
    ],
)
def test_a_parameter_out_of_bounds(conn, target):
    status, fields, body = split(conn.get(ask(b"GET " + target)))
    assert (status, fields["Connection"]) == (400, "keep-alive")
    assert body.startswith(b"expected ") and body.count(b"\n") == 1
    assert conn.closed is None


def test_not_found(conn):
    status, _, body = split(conn.get(ask(b"GET /nowhere")))
    assert (status, body) == (404, b"expected one of / /who /slow /cpu /big /echo\n")
    assert conn.closed is None


@pytest.mark.parametrize(
    ("line", "allow"),
    [(b"PUT /", "GET, HEAD, OPTIONS"), (b"HEAD /echo", "OPTIONS, POST"), (b"get /", "GET, HEAD, OPTIONS")],
)
def test_method_not_allowed(conn, line, allow):
    status, fields, _ = split(conn.get(ask(line)))
    assert (status, fields["Allow"]) == (405, allow)
    assert conn.closed is None


@pytest.mark.parametrize(
    ("line", "allow"), [(b"OPTIONS /who", "GET, HEAD, OPTIONS"), (b"OPTIONS *", "GET, HEAD, OPTIONS, POST")]
)
def test_options(conn, line, allow):
    status, fields, body = split(conn.get(ask(line)))
    assert (status, fields["Allow"], body) == (204, allow, b"")


def test_pipelined_answers_leave_with_one_send_in_order(conn):
    answers = [conn.get(ask(line)) for line in (b"GET /", b"GET /nowhere", b"PUT /")]
    assert conn.get(ask(b"GET /") + ask(b"GET /nowhere") + ask(b"PUT /")) == b"".join(answers)
    assert len(conn.sends) == 1


def test_big_keeps_its_place_among_pipelined_answers(conn):
    lines = (b"GET /", b"GET /big?bytes=3", b"GET /nowhere", b"GET /big?bytes=0", b"GET /")
    answers = [conn.get(ask(line)) for line in lines]
    assert conn.get(b"".join(map(ask, lines))) == b"".join(answers)


@pytest.mark.parametrize(
    ("data", "closed", "connection"),
    [
        (ask(b"GET /"), None, "keep-alive"),
        (ask(b"GET /", b"Connection: close"), "at once", "close"),
        (ask(b"GET /who", b"Connection: close"), "at once", "close"),
        (ask(b"GET /big?bytes=1", b"Connection: close"), "at once", "close"),
        (ask(b"GET /", b"Connection: close") + b"x", "lingering", "close"),
        (b"GET / HTTP/1.0\r\n\r\n", "at once", "close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", None, "keep-alive"),
        (b"hello\n", "lingering", "close"),
        (b"GET / HTTP/2.0\r\n\r\n", "lingering", "close"),
    ],
)
def test_the_answer_tells_the_truth_about_closing(conn, data, closed, connection):
    for _ in range(2):  # the second time the head is known
        conn = Wire(conn.app)
        assert split(conn.get(data))[1]["Connection"] == connection
        assert conn.closed == closed


def test_nothing_after_a_closing_request_is_answered(conn):
    answer = conn.get(ask(b"GET /", b"Connection: close") + ask(b"GET /who"))
    assert answer.count(b"HTTP/1.1 ") == 1


def test_good_requests_are_answered_before_the_refusal(conn):
    answer = conn.get(ask(b"GET /") * 2 + b"\0")
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]
    assert len(conn.sends) == 1
    assert conn.closed == "lingering"


def test_a_stopping_server_answers_once_more(conn):
    conn.get(ask(b"GET /"))
    conn.stop.requested = True
    answer = conn.get(ask(b"GET /") + ask(b"GET /"))
    assert answer.count(b"HTTP/1.1 200") == 1
    assert split(answer)[1]["Connection"] == "close"
    assert conn.closed == "lingering"


def test_a_stopping_server_waits_for_the_rest_of_a_request(conn):
    conn.get(ask(b"GET /")[:9])
    conn.stop.requested = True
    assert conn.get(ask(b"GET /")[9:20]) == b""
    assert conn.closed is None
    assert split(conn.get(ask(b"GET /")[20:]))[1]["Connection"] == "close"
    assert conn.closed == "at once"


def test_the_server_stops_while_a_route_works(conn):
    def stops_while_working(request):
        conn.stop.requested = True
        return b"done"

    conn.app.routes["/stop"] = {"GET": stops_while_working}
    assert split(conn.get(ask(b"GET /stop")))[1]["Connection"] == "close"
    assert conn.closed == "at once"


def test_continue_is_sent_before_the_body_and_once(conn):
    head = ask(b"POST /echo", b"Expect: 100-continue", b"Content-Length: 2")
    assert conn.get(ask(b"GET /who")[:5]) == b""
    assert conn.get(ask(b"GET /")[5:]) != b""
    assert conn.get(ask(b"GET /") + head).endswith(b"hello world!HTTP/1.1 100 Continue\r\n\r\n")
    assert conn.get(b"h") == b""
    assert split(conn.get(b"i"))[2] == b"hi"
    assert split(conn.get(head + b"hi"))[0] == 200


def test_no_continue_for_a_body_that_is_refused(conn):
    answer = conn.get(ask(b"POST /echo", b"Expect: 100-continue", b"Content-Length: 9999999"))
    assert split(answer)[0] == 413 and b"100" not in answer.split(b"\r\n")[0]


def broken(request):
    raise RuntimeError("two\nlines")


@pytest.mark.parametrize("route", [broken, lambda request: None, lambda request: "text", lambda request: 5])
def test_a_route_that_fails_costs_its_connection_only(conn, capsys, route):
    conn.app.routes["/broken"] = {"GET": route}
    answers = conn.get(ask(b"GET /") + ask(b"GET /broken") + ask(b"GET /")).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"500"]
    assert b"Connection: close" in answers[1]
    assert conn.closed == "lingering"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "/broken raised" in lines[0] and ".py:" in lines[0]
    assert split(Wire(conn.app).get(ask(b"GET /")))[0] == 200


def test_more_routes(conn):
    conn.app.routes["/more"] = {
        "GET": lambda request: b"plain " + request.query["x"][0].encode(),
        "PUT": lambda request: Reply(b"made", 201, (("Location", "/more/1"),)),
        "DELETE": Reply(status=204),
    }
    assert split(conn.get(ask(b"GET /more?x=y")))[::2] == (200, b"plain y")
    assert split(conn.get(ask(b"HEAD /more?x=y")))[::2] == (200, b"")
    status, fields, body = split(conn.get(ask(b"PUT /more")))
    assert (status, fields["Location"], body) == (201, "/more/1", b"made")
    assert split(conn.get(ask(b"DELETE /more")))[::2] == (204, b"")
    conn.app.routes["/"]["PUT"] = Reply()
    assert "/more" not in App().routes and "PUT" not in App().routes["/"]


def test_attach():
    class Worker:
        pass

    worker, app = Worker(), App()
    app.attach(worker)
    assert (worker.on_connect, worker.on_message) == (app.on_connect, app.on_message)
    conn = Wire(app)
    worker.on_close(conn)
    assert conn.context is None


def test_deadlines_of_requests_and_of_rests(clock):
    conn = Wire(App(idle_timeout=60, request_timeout=10))
    assert conn.deadline == clock.now + 60  # connected; says nothing
    request = ask(b"GET /")
    clock.now += 9
    conn.get(request[:1])
    first = clock.now + 10
    for byte in request[1:-1]:
        clock.now += 0.1
        conn.get(bytes([byte]))
        assert conn.midway and conn.deadline == first
    clock.now += 0.1
    conn.get(request[-1:])
    assert not conn.midway and conn.deadline == clock.now + 60
    clock.now += 30
    conn.get(request + request[:5])
    assert conn.midway and conn.deadline == clock.now + 10
    clock.now += 5
    conn.get(request[5:] + request[:5])  # another request began
    assert conn.midway and conn.deadline == clock.now + 10
    conn.deadline += 50  # as when the client was slow to take an answer
    conn.get(request[5:6])
    assert conn.deadline == clock.now + 10


def test_the_deadline_of_a_body(clock):
    conn = Wire(App(idle_timeout=60, request_timeout=10))
    conn.get(ask(b"POST /echo", b"Content-Length: 3"))
    first = clock.now + 10
    for _ in range(2):
        clock.now += 4
        conn.get(b"x")
        assert conn.midway and conn.deadline == first
    conn.get(b"x")
    assert not conn.midway and conn.deadline == clock.now + 60


def test_the_deadline_of_a_stopping_server_stays(clock):
    conn = Wire(App(idle_timeout=60, request_timeout=10))
    conn.get(b"GET")
    conn.stop.requested, conn.deadline = True, clock.now + 2
    conn.get(b" ")
    assert conn.deadline == clock.now + 2
    fresh = Wire(conn.app)
    fresh.stop.requested, fresh.deadline = True, clock.now + 0.5
    fresh.get(b"G")
    assert fresh.deadline == clock.now + 0.5


def test_what_is_remembered_is_the_answer_to_a_whole_request_only(conn):
    request = ask(b"GET /")
    hello = conn.get(request)
    assert conn.app._known == {request: (hello, True)}
    assert conn.get(request) == hello
    assert conn.get(ask(b"POST /echo", b"Content-Length: %d" % len(request))) == b""
    assert split(conn.get(request))[2] == request, "here the same bytes are a body"
    assert conn.get(b"\r\n") == b"" and conn.get(request) == hello
    conn.get(request + request[:5])
    assert conn.get(request[5:]) == hello and not conn.midway
    assert set(conn.app._known) == {request}


@pytest.mark.parametrize("data", [ask(b"GET /who"), ask(b"GET /") * 2, ask(b"GET /?" + b"x" * 1024)])
def test_what_changes_or_is_large_is_not_remembered(conn, data):
    for _ in range(2):
        assert conn.get(data)
        assert conn.app._known == {}


def test_a_stopping_server_remembers_nothing_and_says_close(conn):
    conn.stop.requested = True
    assert b"Connection: close" in conn.get(ask(b"GET /"))
    assert conn.app._known == {}


def test_memory_for_answers_is_bounded(conn):
    for number in range(2 * http.KNOWN_HEADS):
        conn.get(ask(b"GET /%d" % number))
        assert len(conn.app._known) <= http.KNOWN_HEADS
