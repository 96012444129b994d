"""The contract, rough clients: those that break off, crowds, and a machine that runs short."""

import os
import resource
import signal
import socket
import time
from contextlib import ExitStack

from contract import calm, patient
from serving import (
    CHATTER,
    Replies,
    ask,
    connect,
    cpu_seconds,
    descriptors,
    ended,
    eventually,
    memory_kib,
    readable,
    request,
    reset,
    serve,
)


class TestRough:
    """Clients that break off, and a machine that runs short."""

    def test_resets_at_each_stage(self, served):
        for begin in (b"", b"GET / HT", request(), request("/big?bytes=20000000"), request() * 500):
            sock = connect(served)
            sock.sendall(begin)
            reset(sock)
        assert ask(served)[2] == b"hello world!"

    def test_client_gone_before_accept(self, served):
        everyone = served.everyone()
        for pid in everyone:
            os.kill(pid, signal.SIGSTOP)
        for say in (b"", request()):
            sock = connect(served)
            sock.sendall(say)
            reset(sock)
        for pid in everyone:
            os.kill(pid, signal.SIGCONT)
        assert ask(served)[2] == b"hello world!"

    def test_on_close_once_for_each_connection(self, model):
        with serve(model.name, script=CHATTER) as served:
            for say, end in (
                (b"", socket.socket.close),
                (b"", reset),
                (request(), reset),
                (request(headers="Connection: close\r\n"), lambda sock: (ended(sock), sock.close())),
                (b"nonsense\r\n\r\n", lambda sock: (ended(sock), sock.close())),
                (request(), lambda sock: (sock.shutdown(socket.SHUT_WR), ended(sock), sock.close())),
                (request("/big?bytes=20000000"), socket.socket.close),
            ):
                sock = connect(served)
                sock.sendall(say)
                end(sock)
            open_at_the_end = connect(served)
            open_at_the_end.sendall(request())
            assert Replies(open_at_the_end).next()[0] == 200
            assert served.stop() == 0
            lines = served.output()
            open_at_the_end.close()
        connected = sorted(line.split()[1] for line in lines if line.startswith("connect"))
        closed = sorted(line.split()[1] for line in lines if line.startswith("close"))
        assert connected == closed
        assert len(connected) == 8

    def test_route_that_raises_costs_one_connection(self, model):
        with serve(model.name, script=CHATTER) as served:
            with connect(served) as sock:
                sock.sendall(request("/broken"))
                replies = Replies(sock)
                assert (answer := replies.next())[0] == 500 and answer[1]["connection"] == "close"
                assert replies.next() is None
            assert ask(served)[2] == b"hello world!"
            assert served.stop() == 0
            (line,) = served.errors()
            assert line.startswith("/broken raised ZeroDivisionError: division by zero (chatter.py:")

    def test_handler_that_raises_costs_one_connection(self, model):
        with serve(model.name, "trouble", script=CHATTER) as served:
            with connect(served) as sock:
                sock.sendall(request("/trouble"))
                assert ended(sock)
            assert ask(served)[2] == b"hello world!"
            assert served.stop() == 0
            (line,) = served.errors()
            assert line.startswith("on_message raised RuntimeError: asked for trouble (chatter.py:")

    def test_two_thousand_connections_leave_nothing(self, model, served):
        for _ in range(100):
            say_goodbye(served)
        everyone = eventually(lambda: calm(model, served), "nobody but the crew")
        before, memory = descriptors(everyone), memory_kib(everyone)
        for _ in range(2000):
            say_goodbye(served)
        eventually(lambda: calm(model, served) == everyone, "the processes of the beginning")
        eventually(lambda: descriptors(everyone) == before, "the descriptors of the beginning")
        assert memory_kib(everyone) - memory < 1024 * len(everyone)

    def test_eleven_hundred_connections(self, model):
        with serve(model.name) as served, ExitStack() as crowd:
            socks = [crowd.enter_context(connect(served)) for _ in range(1100)]
            for sock in socks:
                sock.sendall(request())
            served_now = 0
            if model.name == "select_loop":
                refused = [sock for sock in socks if answer_or_end(sock) is None]
                served_now = len(socks) - len(refused)
                assert 1000 <= served_now < 1024, "select can watch descriptors 0 to 1023"
            else:
                eventually(lambda: sum(readable(s, 0) for s in socks) >= model.at_once, "the answers")
                assert all(answer_or_end(sock) for sock in socks[: model.at_once])
                if model.at_once < len(socks):
                    assert patient(served, socks[-1]), model.why
            for sock in socks:
                sock.close()
            eventually(lambda: descriptors([served.pid]) < 1000, "room for a new client")
            assert ask(served)[2] == b"hello world!"
            assert served.stop() == 0
            surplus = [line for line in served.errors() if "past select's limit" in line]
            assert len(surplus) == (1100 - served_now if model.name == "select_loop" else 0)

    def test_out_of_descriptors(self, model):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        with serve(model.name, before=few) as served, ExitStack() as crowd:
            socks = [crowd.enter_context(connect(served)) for _ in range(200)]
            for sock in socks:
                sock.sendall(request())
            eventually(lambda: any(readable(sock, 0) for sock in socks), "the first answers")
            everyone = served.everyone()
            started, used = time.monotonic(), cpu_seconds(everyone)
            readable(socks[-1], 1.0)
            spent = time.monotonic() - started
            assert cpu_seconds(everyone) - used < 0.4 * max(spent, 1.0), (
                "the server spins on a failing accept"
            )
            for sock in socks:  # one leaves, the next is served, and so on to the last
                assert answer_or_end(sock)
                sock.close()
            assert ask(served)[2] == b"hello world!"


def say_goodbye(served):
    """A request after which the server closes first; return when it has."""
    with connect(served) as sock:
        sock.sendall(request(headers="Connection: close\r\n"))
        replies = Replies(sock)
        assert replies.next()[2] == b"hello world!"
        assert replies.next() is None


def answer_or_end(sock):
    """The status of the next answer, or None where the connection was ended without one."""
    try:
        reply = Replies(sock).next()
    except ConnectionResetError:
        return None
    return reply and reply[0]
