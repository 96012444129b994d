"""Faults that the models once had, each found by an attack and kept out from then on."""

import os
import select
import signal
import socket
import time

import pytest
from contract import MODELS, alive, taken
from serving import PATIENCE, Replies, ask, connect, descriptors, ended, eventually, readable, request, serve

LOOPS = [m for m in MODELS if m.name.endswith("_loop")]


BAD = """
import sys
from importlib import import_module
w = import_module("evolution." + sys.argv[1]).Worker(sys.argv[2])
w.on_message = lambda c, d: c.send("text") if d == b"str" else sys.exit() if d == b"exit" else c.send(b"ok")
w.on_start = lambda a: print(f"listening {a.host}:{a.port}", flush=True)
w.serve_forever()
"""


FAULTY = """
import os, sys
from importlib import import_module
m, where = import_module("evolution." + sys.argv[1]), "serve" if sys.argv[1] == "fork" else "loop"

class Worker(m.Worker):
    pass

def fault(self, *args):
    raise RuntimeError("the model's own fault")

def waitpid(*args, wait=os.waitpid):
    pid, status = wait(*args)
    if pid:
        os.write(1, b"ended with %d\\n" % os.waitstatus_to_exitcode(status))
    return pid, status

setattr(Worker, where, fault)
os.waitpid = waitpid
w = Worker(sys.argv[2], 1)
w.on_start = lambda a: print(f"listening {a.host}:{a.port}", flush=True)
w.serve_forever()
"""

DROWSY = """
import sys
from evolution import core
from evolution.core import address, signals
core.TICK = address.TICK = signals.ORPHAN_GRACE = 600  # before a model is imported
from evolution.__main__ import main
sys.exit(main(["serve", *sys.argv[1:]]))
"""


@pytest.fixture
def script(tmp_path):
    """Write a program that takes MODEL ADDRESS and serves; return its path."""

    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


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
def test_a_learners_mistake_costs_one_connection(model, say, script):
    with serve(model.name, script=script(BAD)) as served:
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


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_slow_reader_has_the_idle_time_out_again_once_it_has_all(model):
    """It once kept the 60 seconds that a client has for taking the next byte."""
    with serve(model.name, "--idle-timeout", "0.5") as served, connect(served, receive_buffer=65536) as sock:
        sock.sendall(request("/big?bytes=8000000"))
        eventually(lambda: readable(sock, 0), "the beginning of the answer")
        assert len(Replies(sock).next()[2]) == 8_000_000
        assert ended(sock)


@pytest.mark.parametrize("model", LOOPS, ids=str)
def test_what_came_in_time_is_not_late_because_a_handler_slept(model):
    for patience in (1, 4):
        with serve(model.name, "--request-timeout", str(patience)) as served, connect(served) as sock:
            began = time.monotonic()
            sock.sendall(request()[:9])
            eventually(lambda sock=sock: taken(served, sock), "the beginning read")
            with connect(served) as slow:
                slow.sendall(request(f"/slow?seconds={patience + 1}"))
                eventually(lambda slow=slow: taken(served, slow), "the slow request read")
                sock.sendall(request()[9:])
                if time.monotonic() < began + patience:
                    assert Replies(sock).next()[2] == b"hello world!"
                    return
    pytest.skip("the machine was too slow to send the rest in time")


@pytest.mark.parametrize("model", [m for m in MODELS if m.crew or m.name == "fork"], ids=str)
def test_a_fault_of_the_model_is_told_and_is_no_success(model, script):
    with serve(model.name, script=script(FAULTY)) as served:
        if model.name == "fork":
            with connect(served) as sock:
                assert ended(sock)
        assert served.process.stdout.readline() == "ended with 1\n"
        served.stop()
        said = served.errors()
    assert said and all("RuntimeError: the model's own fault (script.py:" in line for line in said)


@pytest.mark.parametrize("name", ["blocking", "prefork"])
@pytest.mark.parametrize("keep", [False, True], ids=["in accept", "in recv"])
def test_a_signal_ends_the_sleep_itself(name, keep, script):
    """Not the next look at the clock does, which here never comes."""
    with serve(name, script=script(DROWSY)) as served, connect(served) as sock:
        sock.sendall(request(headers="" if keep else "Connection: close\r\n"))
        assert Replies(sock).next()[0] == 200
        assert keep or ended(sock)
        assert served.stop() == 0


def test_the_port_is_free_once_the_master_is_killed(script):
    """Workers once slept on in accept, and the port with them."""
    with serve("prefork", script=script(DROWSY)) as served:
        ask(served)
        workers = eventually(lambda: len(found := served.workers()) == 4 and found, "the crew")
        assert served.stop(signal.SIGKILL) == -signal.SIGKILL
        eventually(lambda: not any(alive(pid) for pid in workers), "the end of all workers")
        with socket.create_server(served.address):
            pass


def test_port_taken_between_bind_and_listen():
    from evolution import core
    from evolution.core import address

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))

        class Late(address.Listener):
            def listen(self, n):
                other.listen()
                super().listen(n)

        address.Listener, old = Late, address.Listener
        try:
            with pytest.raises(core.AddressError, match="in use"):
                core.listen(core.Address(*other.getsockname()))
        finally:
            address.Listener = old
