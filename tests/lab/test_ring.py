"""io_uring: the wish before the bytes, the result after them; or one sentence where it is refused."""

import os

import pytest

from evolution.lab import ring


@pytest.fixture
def opened():
    try:
        made = ring.Ring()
    except ring.Refused as error:
        pytest.skip(error.strerror)
    with made:
        yield made


def test_a_wish_is_fulfilled_only_when_the_bytes_are_there(opened):
    reader, writer = os.pipe()
    buffer = bytearray(8)
    try:
        assert opened.wish_to_read(reader, buffer, mark=41) == 1
        assert opened.results() == []
        os.write(writer, b"abc")
        assert opened.results(least=1) == [(41, 3)]
        assert bytes(buffer[:3]) == b"abc" and opened.results() == []
    finally:
        os.close(reader)
        os.close(writer)


def test_results_come_in_the_order_of_their_ends_not_of_the_wishes(opened):
    first, second = os.pipe(), os.pipe()
    buffers = bytearray(4), bytearray(4)
    opened.wish_to_read(first[0], buffers[0], mark=1)
    opened.wish_to_read(second[0], buffers[1], mark=2)
    os.write(second[1], b"2")
    assert opened.results(least=1) == [(2, 1)]
    os.write(first[1], b"1")
    assert opened.results(least=1) == [(1, 1)]
    for fd in (*first, *second):
        os.close(fd)


def test_an_error_is_a_result_too(opened):
    opened.wish_to_read(9999, bytearray(4), mark=5)
    assert opened.results(least=1) == [(5, -9)]  # EBADF


def test_nothing_is_left_open():
    before = os.listdir("/proc/self/fd")
    said = ring.demonstrate()
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert said.startswith("io_uring is not to be had") or said.endswith("b'hello'")
