"""The contract, bytes: how a stream is cut, and what has two readings."""

import socket

import pytest
from contract import MODELS
from serving import Replies, connect, ended, eventually, readable, request


def test_every_model_of_the_course_is_under_contract():
    from evolution import GENERATIONS

    assert tuple(model.name for model in MODELS) == GENERATIONS


class TestStream:
    """Bytes are a stream: how they are cut must not matter."""

    def test_keep_alive(self, served):
        with connect(served) as sock:
            replies = Replies(sock)
            for _ in range(3):
                sock.sendall(request())
                status, headers, body = replies.next()
                assert (status, body) == (200, b"hello world!")
                assert headers.get("connection", "keep-alive") == "keep-alive"

    def test_close_is_told_truly(self, served):
        with connect(served) as sock:
            replies = Replies(sock)
            sock.sendall(request(headers="Connection: close\r\n"))
            assert replies.next()[1]["connection"] == "close"
            assert replies.next() is None

    def test_byte_by_byte(self, served):
        with connect(served) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request("/echo", "POST", b"abc"):
                sock.sendall(bytes([byte]))
            assert Replies(sock).next()[2] == b"abc"

    def test_pipelined_answers_keep_their_order(self, served):
        with connect(served) as sock:
            sock.sendall(b"".join(request("/echo", "POST", b"%d" % n) for n in range(100)))
            replies = Replies(sock)
            assert [replies.next()[2] for _ in range(100)] == [b"%d" % n for n in range(100)]

    def test_sixty_thousand_pipelined_with_a_half_close_behind(self, served):
        with connect(served) as sock:
            sock.sendall(request() * 60_000)
            sock.shutdown(socket.SHUT_WR)
            received = bytearray()
            while data := sock.recv(1 << 20):
                received += data
        assert received.count(b"HTTP/1.1 200 OK\r\n") == received.count(b"hello world!") == 60_000

    @pytest.mark.parametrize("half_close", [False, True])
    def test_slow_reader_gets_every_byte(self, served, half_close):
        with connect(served, receive_buffer=4096) as sock:
            sock.sendall(request("/big?bytes=4194304", headers="Connection: close\r\n"))
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            eventually(lambda: readable(sock, 0), "the beginning of the answer")
            status, _, body = Replies(sock).next()
            assert (status, len(body)) == (200, 4_194_304)
            assert ended(sock)

    def test_what_has_two_readings_is_refused_and_the_connection_closed(self, served):
        """All of tests/requests/invalid is fed to the parser; these go through the whole server."""
        host = b"Host: test\r\n"
        post = b"POST /echo HTTP/1.1\r\n" + host
        for data, status in (
            (post + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (post + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
            (post + b"Content-Length: +3\r\n\r\nabc", 400),
            (post + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
            (post + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: test\r\n folded\r\n\r\n", 400),
            (b"GET / HTTP/1.1\nHost: test\n\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"X: a\0b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host * 2 + b"\r\n", 400),
            (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
            (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"x" * 17000 + b"\r\n\r\n", 431),
            (post + b"Content-Length: 99999999\r\n\r\n", 413),
        ):
            with connect(served) as sock:
                sock.sendall(data + request())  # what follows must not be answered
                replies = Replies(sock)
                answer = replies.next()
                assert (answer[0], answer[1]["connection"]) == (status, "close"), data[:80]
                assert replies.next() is None, data[:80]

    def test_error_answer_reaches_a_client_that_is_still_sending(self, served):
        with connect(served) as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 999999999999\r\n\r\n")
            for _ in range(100):
                try:
                    sock.sendall(b"x" * 10_000)
                except (BrokenPipeError, ConnectionResetError):
                    pytest.fail("the server reset a client that was still sending")
            status, headers, _ = Replies(sock).next()
            assert (status, headers["connection"]) == (413, "close")
