"""Faults that the models once had, each found by an attack and kept out from then on."""

import os
import select
import signal
import socket

import pytest
from serving import PATIENCE, Replies, ask, connect, descriptors, ended, eventually, readable, request, serve
from test_contract import MODELS, taken

LOOPS = [m for m in MODELS if m.name.endswith("_loop")]


BAD = """
import sys
from importlib import import_module
w = import_module("evolution." + sys.argv[1]).Worker(sys.argv[2])
w.on_message = lambda c, d: c.send("text") if d == b"str" else sys.exit() if d == b"exit" else c.send(b"ok")
w.on_start = lambda a: print(f"listening {a.host}:{a.port}", flush=True)
w.serve_forever()
"""


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_full_answer_survives_bytes_after_close(model):
    with serve(model.name) as served, connect(served, receive_buffer=4096) as sock:
        sock.sendall(request("/big?bytes=4194304", headers="Connection: close\r\n"))
        assert readable(sock, PATIENCE)
        sock.sendall(request())
        assert len(Replies(sock).next()[2]) == 4_194_304


@pytest.mark.parametrize("model", LOOPS, ids=str)
def test_a_request_that_came_before_sigterm_is_answered_on_a_kept_connection(model):
    with serve(model.name) as served, connect(served) as slow, connect(served) as kept:
        replies = Replies(kept)
        kept.sendall(request())
        assert replies.next()[0] == 200
        slow.sendall(request("/slow?seconds=0.5"))
        eventually(lambda: taken(served, slow), "the slow request read")
        kept.sendall(request())
        served.process.send_signal(signal.SIGTERM)
        assert replies.next()[0] == 200
        assert served.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_impatient_signals(model):
    """Each signal restarts accept's time-out: the stop must come all the same."""
    with serve(model.name) as served:
        count = 0
        while served.process.poll() is None:
            count += 1
            assert count < 60
            os.killpg(served.pid, signal.SIGINT)
            select.select([], [], [], 0.1)
        assert served.process.returncode == 0


@pytest.mark.parametrize("say", [b"str", b"exit"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_learners_mistake_costs_one_connection(model, say, tmp_path):
    script = tmp_path / "bad.py"
    script.write_text(BAD)
    with serve(model.name, script=script) as served:
        for _ in range(5):
            with connect(served) as sock:
                sock.sendall(say)
                assert ended(sock)
        with connect(served) as sock:
            sock.sendall(b"good")
            assert sock.recv(10) == b"ok"
        assert served.stop() == 0
        assert len(served.errors()) == 5


def test_select_loop_refuses_with_nobody_to_tell():
    with serve("select_loop") as served:
        served.process.stderr.close()
        socks = [connect(served) for _ in range(1100)]
        assert ended(socks[-1])
        for sock in socks:
            sock.close()
        eventually(lambda: descriptors([served.pid]) < 1000, "room for a new client")
        assert ask(served)[2] == b"hello world!"


def test_port_taken_between_bind_and_listen():
    from evolution import core
    from evolution.core import address

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))

        class Late(socket.socket):
            def listen(self, n):
                other.listen()
                super().listen(n)

        address.socket.socket, old = Late, socket.socket
        try:
            with pytest.raises(core.AddressError, match="in use"):
                core.listen(core.Address(*other.getsockname()))
        finally:
            address.socket.socket = old
