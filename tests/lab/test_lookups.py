"""One connection, and all listeners, asked of the kernel: the same as in its whole table."""

import os
import socket
import sys

import pytest

from evolution.lab import procfs
from evolution.lab.procfs import sockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is Linux's")


@pytest.fixture
def pair():
    """A listener, its port, and a client that nobody has accepted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            yield listener, port, client


def test_one_connection_from_the_queue_to_its_end(pair):
    listener, port, client = pair
    number = client.getsockname()[1]
    client.sendall(b"hello")
    queued = procfs.connection(port, number)
    assert queued.queued and queued.rx == 5
    conn, _ = listener.accept()
    with conn:
        held = procfs.connection(port, number)
        assert held.inode and not held.queued and held.remote == ("127.0.0.1", number)
        assert held in procfs.server_sockets(port)[0]
        assert procfs.server_sockets(port, [number])[0][-1] == held
        conn.recv(5)
        assert procfs.connection(port, number).rx == 0
    client.close()  # after the server: what remains is on the server's side
    assert procfs.connection(port, number) is None, "TIME_WAIT is nobody's connection any more"
    assert procfs.connection(port, number, ended=True).state == "TIME_WAIT"


@pytest.mark.parametrize("by_text", [False, True])
def test_a_socket_of_the_other_family_has_connections_too(by_text, monkeypatch):
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    if by_text:
        monkeypatch.delattr(socket, "AF_NETLINK")
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"abc")
            assert procfs.connection(port, client.getsockname()[1]).rx == 3


def test_a_port_without_a_connection_is_not_the_listener(pair):
    _, port, _ = pair
    assert procfs.connection(port, 1) is None


@pytest.mark.parametrize("by_text", [False, True])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_listeners_of_both_families_are_found(family, by_text, monkeypatch):
    if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    if by_text:
        monkeypatch.delattr(socket, "AF_NETLINK")
    with socket.create_server(("", 0), family=family) as listener:
        inode = os.fstat(listener.fileno()).st_ino
        assert procfs.listening()[inode] == listener.getsockname()[1]


def test_rows_of_the_other_family_are_read_as_what_they_carry():
    text = (
        "  sl  local_address                         remote_address\n"
        "   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C350 06 "
        "00000000:00000000 03:00000000 00000000     0        0 0 3 0000000000000000\n"
    )
    (row,) = sockets.parse_tcp(text, 8080)
    assert (row.local, row.remote, row.state) == (("127.0.0.1", 8080), ("127.0.0.1", 50000), "TIME_WAIT")


def test_without_a_port_nothing_is_said_about_sockets():
    xray = procfs.snapshot(os.getpid(), None)
    assert xray["listeners"] == xray["connections"] == [] and xray["processes"]
