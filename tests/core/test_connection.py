"""A Connection over a real socket pair: what is sent, kept, refused and given up."""

import socket
from contextlib import closing

import pytest

from evolution import core
from evolution.core import connection


@pytest.fixture
def pair():
    with core.listen("127.0.0.1:0") as listener:
        client = socket.create_connection(listener.getsockname())
        sock, peer = listener.accept()
        client.settimeout(10)
        sock.setblocking(False)
        with client, closing(sock):
            yield core.Connection(sock, peer), client


def received(client, size):
    data = b""
    while len(data) < size:
        data += client.recv(size - len(data))
    return data


def until(conn, fact):
    """Let the connection receive until `fact()`: the kernel needs a moment to carry bytes over."""
    conn.sock.setblocking(True)
    while not fact():
        conn.receive()


def test_a_fresh_connection_wants_input(pair):
    conn, _ = pair
    assert (conn.wants_write, conn.finished, conn.fresh) == (False, False, True)
    assert conn.receive() is None  # nothing there: not now


def test_everything_queued_goes_out_in_one_call(pair):
    conn, client = pair
    conn.send(b"a")
    conn.send(memoryview(b"bc"))
    assert conn.wants_write
    conn.transmit()
    assert not conn.wants_write
    assert received(client, 3) == b"abc"


def test_what_the_kernel_does_not_take_stays_queued_in_order(pair):
    conn, client = pair
    block = bytes(range(256)) * 4096
    for _ in range(40):
        conn.send(block)
    conn.transmit()
    assert conn.wants_write, "40 MiB cannot fit into the kernel's buffers"
    data = b""
    while len(data) < 40 * len(block):
        conn.transmit()
        data += client.recv(1 << 20)
    assert data == block * 40
    assert not conn.wants_write


def test_close_waits_for_the_last_byte_and_drops_what_comes_after(pair):
    conn, client = pair
    conn.send(b"last words")
    conn.close()
    conn.send(b"too late")
    assert not conn.finished
    conn.transmit()
    assert conn.finished
    conn.sock.close()
    assert received(client, 10) == b"last words"
    assert client.recv(10) == b""


def test_end_of_file_finishes_once_all_is_sent(pair):
    conn, client = pair
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    conn.sock.setblocking(True)
    assert conn.receive() == b"question"
    assert not conn.fresh
    assert conn.receive() == b""
    conn.send(b"answer")
    assert not conn.finished
    conn.transmit()
    assert conn.finished
    assert received(client, 6) == b"answer"


def test_a_reset_finishes_at_once(pair):
    conn, client = pair
    conn.send(b"never read")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    until(conn, lambda: conn.finished)
    assert not conn.wants_write


def test_lingering_swallows_input_until_the_client_ends(pair):
    conn, client = pair
    conn.send(b"no")
    conn.close(linger=True)
    conn.transmit()
    assert not conn.finished
    assert conn.deadline < float("inf")
    assert received(client, 2) == b"no"
    assert client.recv(10) == b""  # the server has said its last word
    client.sendall(b"still sending")
    conn.sock.setblocking(True)
    assert conn.receive() is None
    client.close()
    until(conn, lambda: conn.finished)


def test_lingering_without_an_answer_says_goodbye_at_once(pair):
    conn, client = pair
    conn.close(linger=True)
    assert client.recv(10) == b""
    assert not conn.finished


def test_closing_with_unread_input_and_no_linger_is_a_reset(pair):
    """The reason why lingering exists."""
    conn, client = pair
    client.sendall(b"unread")
    conn.sock.setblocking(True)
    conn.sock.recv(1)
    conn.close()
    assert conn.finished
    conn.sock.close()
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_wind_down_ends_an_idle_connection_and_spares_a_busy_one(pair):
    conn, client = pair
    conn.wind_down()
    assert not conn.closing, "a fresh connection may have its first request on the way"
    assert conn.deadline < float("inf")
    client.sendall(b"half a request")
    conn.sock.setblocking(True)
    assert conn.receive() == b"half a request"
    conn.midway = True
    conn.wind_down()
    assert not conn.closing
    conn.midway = False
    conn.wind_down()
    assert conn.closing and conn.finished


def test_the_deadline_stands_still_while_the_client_takes_an_answer(pair, monkeypatch):
    conn, client = pair
    now = 1000.0
    monkeypatch.setattr(connection.time, "monotonic", lambda: now)
    conn.deadline = now + 3
    conn.send(bytes(40 << 20))
    conn.transmit()
    assert conn.wants_write
    now += connection.STALL - 1
    assert not conn.overdue(now), "it has until STALL to take a byte"
    assert conn.overdue(now + 2), "and no longer"
    while conn.wants_write:
        now += 10
        client.recv(1 << 20)
        conn.transmit()
        assert not conn.overdue(now + 2)
    assert conn.deadline == now + 3
    assert not conn.overdue(now + 2.9) and conn.overdue(now + 3.1), "the handler's deadline holds again"


def test_nothing_queued_is_nothing_wanted(pair):
    conn, _ = pair
    conn.send(b"")
    assert not conn.wants_write
    assert connection.GATHER <= 1024
