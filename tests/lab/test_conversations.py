"""What each card does, as the server's side of the socket sees it."""

import signal
import socket

import pytest
from probing import ANSWER, Probing
from serving import PATIENCE

from evolution.lab.client import Client
from evolution.lab.clients import plan, roster
from evolution.lab.conversations import SCRIPTS


def test_polite():
    with Probing([("polite", 1, {"path": "/x?y=1"})]) as probing:
        sock, data = probing.request()
        assert data.startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert b"Connection: close" in data
        sock.sendall(ANSWER)
        assert sock.recv(1) == b""
        assert probing.finish() == 0
        assert probing.states() == ["connecting", "connected", "asked", "receiving", "answered", "done"]
        received = probing.until("receiving")[0]
        assert (received["bytes"], received["total"]) == (len(ANSWER), len(ANSWER))
        assert probing.events[-1]["t"] < PATIENCE  # it does not sit out its time when all have ended


def test_events_are_in_order_of_time_and_carry_the_port():
    with Probing([("polite", 2)]) as probing:
        ports = []
        for _ in range(2):
            sock, _ = probing.request()
            ports.append(sock.getpeername()[1])
            sock.sendall(ANSWER)
        probing.finish()
        times = [each["t"] for each in probing.events]
        assert times == sorted(times) and times[0] == 0
        assert [each["port"] for each in probing.until("connecting", 2)] == ports
        assert probing.events[0]["kind"] == "start" and probing.events[-1]["kind"] == "end"


def test_keep_alive_asks_again_on_the_same_connection():
    with Probing([("keep_alive", 1, {"requests": 3, "pause": 0.0})]) as probing:
        sock, first = probing.request()
        assert b"Connection: close" not in first
        sock.sendall(ANSWER)
        assert b"Connection: close" not in sock.recv(65536)
        sock.sendall(ANSWER)
        assert b"Connection: close" in sock.recv(65536)
        sock.sendall(ANSWER)
        assert sock.recv(1) == b""
        probing.finish()
        assert probing.states().count("answered") == 3
        assert probing.states()[-1] == "done"


def test_silent_says_nothing_and_leaves():
    with Probing([("silent", 1, {"for": 0.0})]) as probing:
        assert probing.accept().recv(1) == b""
        probing.finish()
        assert probing.states() == ["connecting", "connected", "done"]


def test_silent_notices_that_the_server_hangs_up():
    with Probing(["silent"]) as probing:
        sock = probing.accept()
        sock.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        sock.close()
        probing.finish()
        assert probing.states() == ["connecting", "connected", "receiving", "closed"]
        assert probing.until("receiving")[0]["note"] == "HTTP/1.1 408 Request Timeout"


def test_dripping_sends_one_byte_at_a_time():
    with Probing([("dripping", 1, {"interval": 10.0})]) as probing:
        assert probing.accept().recv(100) == b"G"
        assert probing.states() in ([], ["connecting", "connected"])


def test_dripping_sends_its_whole_request():
    with Probing([("dripping", 1, {"interval": 0.001})]) as probing:
        sock, data = probing.request()
        assert data.startswith(b"GET / HTTP/1.1\r\n") and data.endswith(b"\r\n\r\n")
        sock.sendall(ANSWER)
        probing.finish()
        assert probing.states() == ["connecting", "connected", "asked", "receiving", "answered", "done"]


def test_dripping_takes_an_early_answer():
    with Probing([("dripping", 1, {"interval": 10.0})]) as probing:
        sock = probing.accept()
        sock.recv(1)
        sock.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        probing.finish()
        assert probing.states() == ["connecting", "connected", "receiving", "answered", "done"]


def test_slow_reader_leaves_the_answer_in_the_buffers():
    total = 20_000_000
    with Probing([("slow_reader", 1, {"interval": 5.0, "sip": 10})]) as probing:
        sock, data = probing.request()
        assert data.startswith(b"GET /big ")
        sock.setblocking(False)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total
        sent = sock.send(head + bytes(total))
        assert sent < total
        assert probing.until("receiving")[0]["bytes"] == 10
        probing.process.send_signal(signal.SIGTERM)
        probing.finish()
        assert probing.states()[-1] == "closed"


def test_slow_reader_has_a_small_receive_buffer():
    """The kernel doubles what is asked for (socket(7))."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        class Loop:
            target = listener.getsockname()
            now = staticmethod(lambda: 0.0)
            emit = bind_source = staticmethod(lambda _: None)

        (entry,) = roster(plan("127.0.0.1:80", [("slow_reader", 1, {"window": 3000})]))
        client = Client(Loop, entry, SCRIPTS)
        next(client.script)
        assert client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 6000
        client.sock.close()


def test_slow_reader_that_runs_out_of_time_was_not_timed_out():
    with Probing([("slow_reader", 1, {"sip": 1, "interval": 0.01})], seconds=0.3) as probing:
        sock, _ = probing.request()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(2000))
        probing.finish()
        assert probing.until("closed")[0]["note"].startswith("left at the end with ")


def test_half_closing_still_reads():
    with Probing(["half_closing"]) as probing:
        sock, _ = probing.request()
        assert sock.recv(1) == b""  # its end of the stream came first
        sock.sendall(ANSWER)
        probing.finish()
        assert probing.states()[-2:] == ["answered", "done"]


@pytest.mark.parametrize("when", ["asking", "waiting", "reading"])
def test_resetting(when):
    with Probing([("resetting", 1, {"when": when, "for": 0.0})]) as probing:
        sock = probing.accept()
        data = b""
        with pytest.raises(ConnectionResetError):
            while piece := sock.recv(65536):
                data += piece
                if when == "reading" and data.endswith(b"\r\n\r\n"):
                    sock.sendall(ANSWER)
        assert data.endswith(b"\r\n\r\n") == (when != "asking")
        probing.finish()
        end = probing.until("reset")[0]
        assert end["own"] is True and "errno" not in end


def test_pipelining_puts_all_requests_into_one_packet():
    with Probing([("pipelining", 1, {"requests": 4})]) as probing:
        sock = probing.accept()
        data = sock.recv(65536)
        assert data.count(b"GET / HTTP/1.1\r\n") == data.count(b"\r\n\r\n") == 4
        assert data.count(b"Connection: close") == 1
        sock.sendall(ANSWER * 3)
        probing.until("receiving")
        assert "answered" not in probing.states()
        sock.sendall(ANSWER)
        probing.finish()
        assert probing.states()[-1] == "done"


def test_idle_is_a_crowd_that_holds_on():
    with Probing([("idle", 300)]) as probing:
        probing.until("connected", 300)
        assert probing.descriptors() >= 300


def test_vanishing_is_gone_before_accept():
    with Probing([("vanishing", 5)]) as probing:
        probing.finish()
        for _ in range(5):
            with pytest.raises(ConnectionResetError):
                probing.accept().recv(1)
        told = [(each["id"], each["state"]) for each in probing.events if each["kind"] == "client"]
        one_after_the_other = ("connecting", "connected", "reset")
        assert told == [(f"c{n}", state) for n in range(1, 6) for state in one_after_the_other]
