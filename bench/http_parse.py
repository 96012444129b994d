"""Our HTTP reader beside httptools (llhttp, in C) and h11 (Python): what each costs, and what it lets in.

    python -m bench.http_parse        from the project's root; peers: pip install httptools h11

A peer that is not installed is left out, with one line. The readers take turns in one process, so that a
slow moment of the machine meets them all, and the medians of the rounds are compared. Each reader has to
make method, target, headers and body available; h11 has to send an answer too before it reads on.
"""

import importlib
import json
import statistics
import sys
import time
from pathlib import Path

from evolution.core.http import BadRequest, RequestReader

ROUNDS = 15
GOLDEN = Path(__file__).parents[1] / "tests" / "requests"

SMALL = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:9080\r\n\r\n"
BROWSER = (
    b"GET /who HTTP/1.1\r\nHost: localhost:9080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB\r\n"
    b"Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\nDNT: 1\r\n\r\n"
)
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n" + b"x" * 1024
CHUNKS = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4\r\nabcd\r\n" * 64
LOADS = {  # name: (requests, pieces)
    "small GET, repeated": (2000, [SMALL] * 2000),
    "small GET, ever new": (2000, [SMALL.replace(b"/ ", b"/%d " % i, 1) for i in range(2000)]),
    "browser's GET, repeated": (1000, [BROWSER] * 1000),
    "browser's GET, ever new": (1000, [BROWSER.replace(b"who", b"%d" % i, 1) for i in range(1000)]),
    "small GET, 1,600 in a piece": (3200, [SMALL * 1600] * 2),
    "small GET, byte by byte": (40, [SMALL[i : i + 1] for i in range(len(SMALL))] * 40),
    "POST of 1 KiB": (1000, [POST] * 1000),
    "POST in 64 chunks": (100, [CHUNKS + b"0\r\n\r\n"] * 100),
}


class Ours:
    refusal = BadRequest

    def __init__(self, done):
        self.done = done
        self.reader = RequestReader()

    def feed(self, data):
        for request in self.reader.feed(data):
            self.done.append((request.method, request.target, request.body))


def httptools(library):
    class HttpTools:
        refusal = (library.HttpParserError, library.HttpParserUpgrade)

        def __init__(self, done):
            self.done = done
            self.parser = library.HttpRequestParser(self)
            self.feed = self.parser.feed_data

        def on_message_begin(self):
            self.target, self.body, self.headers = b"", b"", {}

        def on_url(self, piece):
            self.target += piece

        def on_header(self, name, value):
            self.headers[name.lower()] = value

        def on_body(self, piece):
            self.body += piece

        def on_message_complete(self):
            method = self.parser.get_method().decode()
            self.done.append((method, self.target.decode("latin-1"), self.body))

    return HttpTools


def h11(library):
    answer = library.Response(status_code=404, headers=[("Content-Length", "0")])

    class H11:
        refusal = library.RemoteProtocolError

        def __init__(self, done):
            self.done = done
            self.connection = library.Connection(library.SERVER)

        def feed(self, data):
            connection = self.connection
            connection.receive_data(data)
            while True:
                event = connection.next_event()
                kind = type(event)
                if kind is library.Request:
                    self.request, self.body = event, b""
                elif kind is library.Data:
                    self.body += event.data
                elif kind is library.EndOfMessage:
                    method, target = self.request.method.decode(), self.request.target.decode("latin-1")
                    self.done.append((method, target, self.body))
                    connection.send(answer)
                    connection.send(library.EndOfMessage())
                    if connection.our_state is library.MUST_CLOSE:
                        return
                    connection.start_next_cycle()
                else:
                    return

    return H11


def readers():
    found = {"ours": Ours}
    for adapter in (httptools, h11):
        name = adapter.__name__
        try:
            found[name] = adapter(importlib.import_module(name))
        except ImportError:
            print(f"{name} is not installed and left out: pip install {name}", file=sys.stderr)
    return found


def cost(reader, count, pieces):
    """Return microseconds of processor for each request."""
    done = []
    feed = reader(done).feed
    start = time.process_time()
    for piece in pieces:
        feed(piece)
    spent = time.process_time() - start
    if len(done) != count:
        raise RuntimeError(f"expected {count} requests, not {len(done)}")
    return spent / count * 1e6


def measure(found):
    print(f"\nmicroseconds a request (median of {ROUNDS} rounds), and the ratio to ours in the same rounds")
    for load, (count, pieces) in LOADS.items():
        rounds = [[cost(reader, count, pieces) for reader in found.values()] for _ in range(ROUNDS)]
        cells = []
        for name, costs in zip(found, zip(*rounds, strict=True), strict=True):
            ratio = statistics.median(cost / one[0] for cost, one in zip(costs, rounds, strict=True))
            cells.append(f"{name} {statistics.median(costs):8.2f} {ratio:6.2f} x")
        print(f"{load:28}" + "   ".join(cells))


def judge(reader, data):
    """Return the requests that the reader makes of `data`, and whether it refuses some of it."""
    done = []
    try:
        reader(done).feed(data)
    except reader.refusal:
        return done, True
    return done, False


def outcomes(found):
    print("\nthe golden files in tests/requests, each in one piece")
    for name, reader in found.items():
        right = wrong = refused = waiting = accepted = 0
        let_in = []
        for file in sorted(GOLDEN.glob("*/*.http")):
            expected = json.loads(file.with_suffix(".json").read_text("utf-8"))
            requests = [(r["method"], r["target"], r["body"].encode("latin-1")) for r in expected["requests"]]
            done, refusal = judge(reader, file.read_bytes())
            if "status" not in expected:
                right, wrong = (
                    (right + 1, wrong) if (done, refusal) == (requests, False) else (right, wrong + 1)
                )
            elif len(done) > len(requests):
                accepted += 1
                let_in.append(expected["about"])
            elif refusal:
                refused += 1
            else:
                waiting += 1
        print(f"{name:10} valid: {right} read as meant, {wrong} not; ", end="")
        print(f"invalid: {refused} refused, {waiting} waited upon, {accepted} accepted")
        if "-v" in sys.argv:
            print("".join(f"    accepted: {about}\n" for about in let_in), end="")


if __name__ == "__main__":
    found = readers()
    outcomes(found)
    measure(found)
