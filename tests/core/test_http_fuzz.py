"""Whatever arrives, and however it is cut: the outcome is the same, and BadRequest the only exception."""

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from evolution.core import http
from evolution.core.app import App
from evolution.core.http import BadRequest, RequestReader
from evolution.core.signals import Stop

FILES = Path(__file__).parents[1] / "requests"
GOLDEN = [file.read_bytes() for file in sorted(FILES.glob("*/*.http"))]
SHORT = [data for data in GOLDEN if len(data) < 1000]
SCRAPS = [
    *(b"\r\n", b"\r", b"\n", b" ", b"\t", b":", b",", b";", b"\0", b"\x7f", b"\xff", b"#", b'"', b"a" * 300),
    *(
        b"GET",
        b"POST",
        b"HEAD",
        b"OPTIONS",
        b"CONNECT",
        b"/",
        b"*",
        b"/echo",
        b"http://a",
        b"?a=b",
        b"HTTP/1.1",
    ),
    *(b"HTTP/1.0", b"HTTP/2.0", b"Host: a", b"Host:", b"Content-Length: 3", b"Content-Length: 99999999"),
    *(
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Expect: 100-continue",
        b"X: y",
        b"0",
        b"3",
        b"abc",
    ),
    *(b"0\r\n\r\n", b"3\r\nabc\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
]

scraps = st.lists(st.sampled_from(SCRAPS) | st.binary(max_size=4), max_size=30).map(b"".join)


@st.composite
def spoilt(draw):
    """Two golden requests in a row, a few bytes of them cut out, put in or changed."""
    data = draw(st.sampled_from(SHORT)) + draw(st.sampled_from(SHORT))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.sampled_from(SCRAPS) | st.just(b"")) + data[at + draw(st.integers(0, 3)) :]
    return data


@st.composite
def pieces(draw, streams):
    data = draw(streams)
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def outcome(cut):
    """Everything that can be seen of the reader after it got these pieces."""
    reader, seen = RequestReader(), []
    try:
        for piece in cut:
            for r in reader.feed(piece):
                seen.append((r.method, r.target, r.path, dict(r.query), r.version, dict(r.headers), r.body))
                seen.append(r.keep_alive)
    except BadRequest as error:
        return [*seen, error.status], reader.ended, reader.midway
    return seen, reader.ended, reader.midway


def check(cut):
    http._known.clear()
    whole = outcome([b"".join(cut)])
    assert outcome(cut) == whole  # now all heads are known
    http._known.clear()
    assert outcome(cut) == whole


fast = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@fast
@given(pieces(st.binary(max_size=200)))
def test_any_bytes(cut):
    check(cut)


@fast
@given(pieces(scraps))
@example([b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2, b"\r\n\r\n"])
def test_scraps_of_http(cut):
    check(cut)


@fast
@given(pieces(spoilt()))
def test_spoilt_requests(cut):
    check(cut)


@settings(fast, max_examples=100)
@given(st.sampled_from(GOLDEN), st.integers(0, 10), st.data())
def test_requests_at_the_limits(data, drop, draw):
    """Near the bound of a line or a head the place of the first nonsense decides."""
    at = draw.draw(st.integers(0, len(data)))
    data = data[:at] + draw.draw(st.sampled_from(SCRAPS)) + data[at + drop :]
    place = draw.draw(st.integers(0, len(data)))
    check([data[:place], data[place : place + 1], data[place + 1 :]])


tokens = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=10)
values = st.text([chr(i) for i in range(256) if i in (9, *range(32, 127)) or i > 127], max_size=20).map(
    lambda text: text.strip(" \t")
)
targets = st.text("/abc%20._-~!$&'()*+,;=:@?", max_size=30).map(lambda text: "/" + text)
RESERVED = {"host", "content-length", "transfer-encoding", "connection", "expect"}
names = tokens.filter(lambda name: name.lower() not in RESERVED)


@st.composite
def request(draw):
    """A valid request: its bytes, and what is to be read from them."""
    method, target = draw(tokens.filter(lambda method: method != "CONNECT")), draw(targets)
    names = draw(
        st.lists(tokens.filter(lambda name: name.lower() not in RESERVED), unique_by=str.lower, max_size=4)
    )
    fields = [("Host", "a.example"), *((name, draw(values)) for name in names)]
    body = draw(st.binary(max_size=60))
    wire = body
    if draw(st.booleans()):
        fields.append(("Transfer-Encoding", "chunked"))
        size = draw(st.integers(1, 20))
        chunks = [body[i : i + size] for i in range(0, len(body), size)]
        wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        wire += b"0\r\n" + draw(st.sampled_from([b"", b"X-Sum: 1\r\n"])) + b"\r\n"
    elif body or draw(st.booleans()):
        fields.append(("Content-Length", str(len(body))))
    fields = draw(st.permutations(fields))
    gap = draw(st.sampled_from(["", " ", "\t "]))
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}:{gap}{v}{gap}\r\n" for n, v in fields) + "\r\n"
    return head.encode("latin-1") + wire, (method, target, {n.lower(): v for n, v in fields}, body)


@fast
@given(st.lists(request(), max_size=4), st.data())
def test_what_was_written_is_read(written, draw):
    reader, seen = RequestReader(), []
    for piece in draw.draw(pieces(st.just(b"".join(data for data, _ in written)))):
        seen += [(r.method, r.target, dict(r.headers), r.body) for r in reader.feed(piece)]
    assert seen == [facts for _, facts in written]
    assert not reader.midway


class Wire:
    """A connection as the application sees it, that remembers what was sent."""

    def __init__(self):
        self.context, self.deadline, self.midway, self.closing = None, 0.0, False, False
        self.stop = Stop()
        self.sent = b""

    def send(self, data):
        self.sent += data

    def close(self, linger=False):
        self.closing = True


@fast
@given(pieces(scraps | spoilt()))
def test_the_application_answers_the_same(cut):
    """But for 100 Continue, which depends on when the body comes; the second time it may remember them."""
    answers, apps = [], (App(), App())
    for app, parts in zip(apps * 2, (cut, [b"".join(cut)]) * 2, strict=True):
        conn = Wire()
        app.on_connect(conn)
        for part in parts:
            if not conn.closing:
                app.on_message(conn, part)
        answers.append((conn.sent.replace(http.CONTINUE, b""), conn.closing, conn.midway))
    assert answers == answers[:1] * 4
