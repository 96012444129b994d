"""The small moves say what the kernel says."""

import signal
import socket

import pytest

from evolution import blocking
from evolution.lab import launch, moves


@pytest.fixture
def server():
    with launch.start(blocking) as server:
        yield server


def test_knock_at_each_of_the_three_steps():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert moves.knock(sock).outcome == "ECONNREFUSED"
        assert moves.table(sock) == []
        sock.listen()
        assert moves.knock(sock).outcome == "connected"
        assert [row.state for row in moves.table(sock) if row.end == "listener"] == ["LISTEN"]


def test_knock_at_a_full_queue():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        with moves.call(sock):
            assert moves.knock(sock, timeout=0.2).outcome == "no answer"


def test_ask(server):
    answer = moves.ask(server)
    assert (answer.status, answer.body) == (200, b"hello world!")
    assert repr(answer).startswith("200: hello world! (after ")


def test_ask_somebody_who_hangs_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        with pytest.raises(ConnectionError):
            moves.ask(listener, timeout=5)


def test_watch_a_server_that_sleeps(server):
    rest = moves.watch(server, 0.2)
    assert (rest.state, rest.call) == ("S", "accept(3)")
    assert rest.cpu < 0.5
    assert "asleep in accept(3)" in repr(rest)


def test_table_tells_the_queued_from_the_accepted(server):
    with moves.call(server) as first:
        while not any(row.accepted for row in moves.table(server) if row.end == "server"):
            pass
        server.signal(signal.SIGSTOP)
        with moves.call(server) as second:
            second.sendall(b"abc")
            rows = {row.peer: row for row in moves.table(server) if row.end == "server"}
            assert rows[first.getsockname()[1]].accepted
            waiting = rows[second.getsockname()[1]]
            assert (waiting.accepted, waiting.unread, waiting.state) == (False, 3, "ESTABLISHED")
            assert "held by no process" in str(waiting)
        server.signal(signal.SIGCONT)


def test_pair_is_connected():
    client, server = moves.pair()
    with client, server:
        client.sendall(b"x")
        assert server.recv(10) == b"x"


def test_only_this_machine():
    with pytest.raises(ValueError, match="of this machine"):
        moves.knock("192.0.2.1:80")


def test_the_liar_says_keep_alive_and_closes():
    with moves.specimen("liar") as server, moves.call(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        data = b""
        while more := sock.recv(1000):
            data += more
        assert b"Connection: keep-alive" in data


def test_an_unknown_specimen_names_the_known_ones():
    with pytest.raises(ValueError, match=r"one of accept_spin, asyncio_streams, .*liar"):
        moves.specimen("saint")
