"""The specimens of chapter 3 are wrong in the way that the chapter says, and in no other."""

import time
from contextlib import ExitStack

from evolution import lab

PATIENCE = 10.0


def until(found, wanted):
    """Return the first `found()` for which `wanted` is true; fail when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(seen := found()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.01)
    return seen


def never_slept(server):
    """What the server did in a moment with nothing to do."""
    seen = lab.watch(server, 0.3)
    return seen.switches == 0 and seen.cpu > 0


def test_the_half_step_serves_everybody_and_never_sleeps():
    with lab.specimen("spinning_loop") as server, lab.call(server), lab.call(server):
        assert lab.ask(server).status == 200
        until(lambda: never_slept(server), bool)
        assert server.stop() == 0


def test_with_the_wrong_socket_non_blocking_one_reader_stops_all():
    with lab.specimen("wrong_socket") as server, lab.call(server) as reader:
        reader.sendall(b"GET /big HTTP/1.1\r\n\r\n")
        until(lambda: lab.watch(server, 0.05).call, lambda call: call.startswith("send("))
        with lab.call(server) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            port = other.getsockname()[1]
            seen = lab.watch(server, 0.3)
            assert seen.call.startswith("send(") and seen.switches == 0
            (row,) = (row for row in lab.table(server) if row.end == "server" and row.peer == port)
            assert not row.accepted
            reader.close()
            assert other.recv(100).startswith(b"HTTP/1.1 200")


def test_out_of_descriptors_accept_is_tried_for_ever():
    with ExitStack() as stack:
        server = stack.enter_context(lab.specimen("accept_spin"))
        for _ in range(30):
            stack.enter_context(lab.call(server))
        until(lambda: len(server.tree()[0].descriptors), lambda count: count == 20)
        until(lambda: never_slept(server), bool)
