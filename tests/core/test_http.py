"""The HTTP reader against golden files: in one piece, byte by byte, and cut at random.

requests/valid/NNN.http is what a client sends, NNN.json what must be made of it: the requests, and
whether part of one is held at the end. In requests/invalid NNN.json tells the status of the refusal and
the good requests before it. Bodies are written with one character for each byte (Latin-1).
"""

import dataclasses
import json
import random
from pathlib import Path

import pytest

from evolution.core import http
from evolution.core.head import MAX_BODY
from evolution.core.http import BadRequest, RequestReader, response, response_head

FILES = Path(__file__).parents[1] / "requests"
VALID = sorted(FILES.glob("valid/*.http"))
INVALID = sorted(FILES.glob("invalid/*.http"))
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def nothing_known():
    http._known.clear()


def read(pieces):
    """Return the reader, the requests it made of the pieces, and the status of its refusal, or None."""
    reader, requests = RequestReader(), []
    try:
        for piece in pieces:
            for request in reader.feed(piece):
                requests.append(request)
    except BadRequest as error:
        assert error.reason
        return reader, requests, error.status
    return reader, requests, None


def cuts(data):
    """Yield ways to cut `data`; the last are the first again, for when its heads are known."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    dice = random.Random(data)
    for count in (1, 1, 2, 3, 5, 8):
        places = sorted(dice.randrange(len(data) + 1) for _ in range(count))
        yield [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    yield [data]


def plain(request):
    facts = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    facts["query"] = {name: list(values) for name, values in request.query.items()}
    facts["headers"] = dict(request.headers)
    facts["body"] = request.body.decode("latin-1")
    return facts


def check_requests(requests, expected):
    """The facts that `expected` tells of each request must be so; it may leave some out."""
    assert len(requests) == len(expected)
    for request, facts in zip(map(plain, requests), expected, strict=True):
        assert {name: request[name] for name in facts} == facts


def golden(file):
    return file.read_bytes(), json.loads(file.with_suffix(".json").read_text("utf-8"))


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid(file):
    data, expected = golden(file)
    for pieces in cuts(data):
        reader, requests, status = read(pieces)
        assert status is None
        check_requests(requests, expected["requests"])
        assert reader.midway is expected["midway"]
        assert reader.expects_continue is expected.get("expects_continue", False)
    assert reader.leftover or not expected.get("leftover")


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid(file):
    data, expected = golden(file)
    for pieces in cuts(data):
        reader, requests, status = read(pieces)
        assert status == expected["status"]
        check_requests(requests, expected["requests"])
        assert reader.ended and not reader.midway


def test_every_golden_file_has_its_outcome():
    for folder in ("valid", "invalid"):
        stems = {
            suffix: {f.stem for f in (FILES / folder).glob(f"*.{suffix}")} for suffix in ("http", "json")
        }
        assert stems["http"] == stems["json"]
        assert len(stems["http"]) >= 40


def test_the_good_requests_come_before_the_refusal():
    requests = iter(RequestReader().feed(GET + GET + b"\0"))
    assert [next(requests).method, next(requests).method] == ["GET", "GET"]
    with pytest.raises(BadRequest):
        next(requests)


def test_after_the_end_nothing_is_read():
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"\0"):
        reader, _, _ = read([data])
        assert reader.ended
        kept = len(reader._data)
        assert list(reader.feed(GET)) == []
        assert len(reader._data) == kept


def test_what_is_done_with_is_let_go():
    reader = RequestReader()
    for _ in range(3):
        list(reader.feed(GET + GET + GET[:5]))
        list(reader.feed(GET[5:]))
        assert reader._data == b"" and not reader.leftover


def test_a_known_head_does_not_reopen_an_ended_stream():
    read([GET])
    reader, _, _ = read([b"GET / HTTP/1.0\r\n\r\n"])
    assert list(reader.feed(GET)) == []


def test_a_known_head_inside_a_body_is_data():
    read([GET])
    _, requests, _ = read([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET), GET])
    assert requests[0].body == GET


def test_a_reader_that_is_left_early_keeps_the_rest():
    reader = RequestReader()
    for _ in reader.feed(GET + GET):
        break
    assert reader.leftover and reader.midway
    assert len(list(reader.feed(GET))) == 2


def test_empty_lines_are_counted_for_each_request():
    lines = b"\r\n" * http.MAX_BLANK_LINES
    assert read([lines, GET, lines, GET])[1:] == read([lines + GET + lines + GET])[1:]
    for pieces in ([lines, GET] * 3, [(lines + GET) * 3]):
        assert len(read(pieces)[1]) == 3


def test_continue_is_wanted_until_the_body_comes():
    reader = RequestReader()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert list(reader.feed(head)) == []
    assert reader.expects_continue
    assert list(reader.feed(b"h")) == []
    assert not reader.expects_continue
    assert [request.body for request in reader.feed(b"i")] == [b"hi"]
    assert list(reader.feed(head + b"h")) == []
    assert not reader.expects_continue  # it did not wait (RFC 9110, 10.1.1)


@pytest.mark.parametrize("size", [MAX_BODY - 1, MAX_BODY, MAX_BODY + 1])
def test_the_largest_body(size):
    head = b"POST / HTTP/1.1\r\nHost: a\r\n"
    for body in (
        b"Content-Length: %d\r\n\r\n" % size + b"x" * size,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n",
    ):
        _, requests, status = read([head + body])
        if size > MAX_BODY:
            assert (requests, status) == ([], 413)
        else:
            assert len(requests[0].body) == size


def test_equal_heads_share_one_request_that_nobody_can_change():
    first, second = (read([GET.replace(b"/", b"/?a=b", 1)])[1][0] for _ in range(2))
    assert first is second
    with pytest.raises(AttributeError):
        first.method = "PUT"
    with pytest.raises(TypeError):
        first.headers["host"] = "b"
    with pytest.raises(TypeError):
        first.query["a"] = "c"
    assert first.query == {"a": ("b",)}


def test_few_and_small_heads_are_remembered():
    for number in range(3 * http.KNOWN_HEADS):
        read([b"GET /%d HTTP/1.0\r\n\r\n" % number])
        assert len(http._known) <= http.KNOWN_HEADS
    http._known.clear()
    read([b"GET /%s HTTP/1.0\r\n\r\n" % (b"a" * http.KNOWN_SIZE)])
    read([b"POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na"])
    read([b"GET / HTTP/1.1\r\n\r\n"])
    assert http._known == {}


def test_headers_are_found_in_any_case():
    headers = read([b"GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n\r\n"])[1][0].headers
    assert headers["x-one"] == headers["X-ONE"] == headers.get("X-One") == "1"
    assert "x-two" not in headers and headers.get("X-Two") is None
    assert dict(headers) == {"host": "a", "x-one": "1"}


def test_response():
    assert response(200, "é".encode()) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
        b"Connection: keep-alive\r\n\r\n\xc3\xa9"
    )
    assert response(405, b"no", content_type="text/x", headers=[("Allow", "GET")], keep_alive=False) == (
        b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/x\r\nContent-Length: 2\r\nAllow: GET\r\n"
        b"Connection: close\r\n\r\nno"
    )


def test_the_response_to_head_tells_the_length_of_what_is_not_there():
    assert response(200, b"hello", head_only=True) == response(200, b"hello").removesuffix(b"hello")
    assert response(200, b"hello", head_only=True) == response_head(200, 5)


@pytest.mark.parametrize("status", [204, 304])
def test_responses_that_have_no_body(status):
    answer = response(status, b"hello")
    assert answer.endswith(b"\r\n\r\n") and b"Content-" not in answer
