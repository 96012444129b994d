"""The application's routes: what each answers, what is refused, and how one is added."""

import json
import os
import threading

import pytest
from wire import Wire, ask, split

from evolution.core import app as module
from evolution.core.app import App, Reply


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
