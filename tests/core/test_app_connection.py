"""The application over a connection's life: order, closings, deadlines, and what it remembers."""

import pytest
from wire import Wire, ask, split

from evolution.core import app as module
from evolution.core import http
from evolution.core.app import App


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
