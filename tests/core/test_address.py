"""Addresses are read strictly, and a port that cannot be had is explained."""

import os
import socket
from contextlib import closing

import pytest

from evolution import core


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp://127.0.0.1:9080", ("127.0.0.1", 9080)),
        ("127.0.0.1:9080", ("127.0.0.1", 9080)),
        ("localhost:0", ("localhost", 0)),
        ("9080", ("127.0.0.1", 9080)),
        ("tcp://0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_parse(text, expected):
    assert core.Address.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "tcp://",
            "tcp://host",
            "udp://127.0.0.1:80",
            "tcp://:80",
            "http://127.0.0.1:80/",
            "127.0.0.1:",
        ),
        *("a:b", "127.0.0.1:-1", "127.0.0.1:٣", "127.0.0.1:80/", "::1:80", "127.0.0.1:+80"),
    ],
)
def test_malformed_addresses_say_what_was_expected(text):
    with pytest.raises(core.AddressError, match=r"expected tcp://host:port, not "):
        core.Address.parse(text)


def test_port_out_of_range():
    with pytest.raises(core.AddressError, match="from 0 to 65535, not 65536"):
        core.Address.parse("127.0.0.1:65536")


def test_address_prints_as_it_is_written():
    assert str(core.Address.parse("tcp://127.0.0.1:9080")) == "tcp://127.0.0.1:9080"


def test_listen_on_a_port_in_use():
    with core.listen("127.0.0.1:0") as first:
        port = first.getsockname()[1]
        with pytest.raises(core.AddressError, match=f"port {port} on 127.0.0.1 is in use"):
            core.listen(f"127.0.0.1:{port}")


def test_listen_on_a_foreign_host():
    with pytest.raises(core.AddressError, match="not an address of this machine"):
        core.listen("192.0.2.1:0")  # TEST-NET-1, RFC 5737


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every port")
def test_listen_on_a_port_of_root():
    with pytest.raises(core.AddressError, match=r"no permission for port 1; "):
        core.listen("127.0.0.1:1")


def test_accepted_sockets_inherit_the_time_out():
    with core.listen("127.0.0.1:0") as listener, socket.create_connection(listener.getsockname()):
        sock, _ = listener.accept()
        with closing(sock):
            size = 16
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                inherited = sock.getsockopt(socket.SOL_SOCKET, option, size)
                assert inherited == listener.getsockopt(socket.SOL_SOCKET, option, size)
                assert any(inherited)
            with pytest.raises(BlockingIOError):  # the sleep ends by itself
                sock.recv(1)


def test_a_reserved_port_admits_our_listeners_and_no_second_reservation():
    with core.reserve("127.0.0.1:0") as door:
        address = core.Address(*door.getsockname())
        with pytest.raises(ConnectionRefusedError):  # bound is not listening
            socket.create_connection(address)
        with core.listen(address, reuse_port=True), core.listen(address, reuse_port=True):
            with pytest.raises(core.AddressError, match="in use"):
                core.reserve(address)
            with pytest.raises(core.AddressError, match="in use"):
                core.listen(address)
            socket.create_connection(address).close()
