"""One contract, every model: a new model joins by one line in MODELS.

What a model cannot do by its nature is asserted too, as what happens instead, with the sentence that
says why: the limits are the story of the course.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import psutil
import pytest
from serving import (
    CHATTER,
    PATIENCE,
    Replies,
    ask,
    command,
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

ONE = "One process serves one connection at a time; the others are connected, but wait in the kernel's queue."
CREW = "A worker belongs to one connection until it ends; with all workers taken, the next one waits."
LOOP = "One thread runs all handlers; while one computes or sleeps, no other runs."


@dataclass(frozen=True)
class Model:
    """What the contract must know of a model."""

    name: str
    held_by: int
    """Silent clients that are enough to keep everybody else waiting; 0: no number is."""
    stalled_by: int
    """Requests that compute or sleep, enough to keep everybody else waiting."""
    why: str = ""
    crew: int = 0
    """Worker processes of a master that replaces them."""
    at_once: int = 1100
    """Of 1,100 connections, how many are served at the same time."""

    def __str__(self):
        return self.name


MODELS = [
    Model("blocking", held_by=1, stalled_by=1, at_once=1, why=ONE),
    Model("fork", held_by=100, stalled_by=100, at_once=100, why=CREW),
    Model("threads", held_by=500, stalled_by=500, at_once=500, why=CREW),
    Model("prefork", held_by=4, stalled_by=4, at_once=4, why=CREW, crew=4),
    Model("select_loop", held_by=0, stalled_by=1, at_once=1000, why=LOOP),
    Model("poll_loop", held_by=0, stalled_by=1, why=LOOP),
    Model("epoll_loop", held_by=0, stalled_by=1, why=LOOP),
    Model("reactor", held_by=0, stalled_by=4, why="Each worker thread runs one handler at a time."),
    Model("multireactor", held_by=0, stalled_by=2, why=LOOP, crew=2),
]


@pytest.fixture(params=MODELS, ids=str, scope="class")
def model(request):
    return request.param


@pytest.fixture
def served(model):
    with serve(model.name) as served:
        yield served


def patient(served, sock, seconds=0.3):
    """True when nothing arrives: used where the model must keep a client waiting."""
    return not readable(sock, seconds)


class TestStream:
    """Bytes are a stream: how they are cut must not matter."""

    def test_keep_alive(self, served):
        with connect(served) as sock:
            replies = Replies(sock)
            for _ in range(3):
                sock.sendall(request())
                status, headers, body = replies.next()
                assert (status, body) == (200, b"hello world!")
                assert headers.get("connection", "keep-alive") == "keep-alive"

    def test_close_is_told_truly(self, served):
        with connect(served) as sock:
            replies = Replies(sock)
            sock.sendall(request(headers="Connection: close\r\n"))
            assert replies.next()[1]["connection"] == "close"
            assert replies.next() is None

    def test_byte_by_byte(self, served):
        with connect(served) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in request("/echo", "POST", b"abc"):
                sock.sendall(bytes([byte]))
            assert Replies(sock).next()[2] == b"abc"

    def test_pipelined_answers_keep_their_order(self, served):
        with connect(served) as sock:
            sock.sendall(b"".join(request("/echo", "POST", b"%d" % n) for n in range(100)))
            replies = Replies(sock)
            assert [replies.next()[2] for _ in range(100)] == [b"%d" % n for n in range(100)]

    def test_sixty_thousand_pipelined_with_a_half_close_behind(self, served):
        with connect(served) as sock:
            sock.sendall(request() * 60_000)
            sock.shutdown(socket.SHUT_WR)
            received = bytearray()
            while data := sock.recv(1 << 20):
                received += data
        assert received.count(b"HTTP/1.1 200 OK\r\n") == received.count(b"hello world!") == 60_000

    @pytest.mark.parametrize("half_close", [False, True])
    def test_slow_reader_gets_every_byte(self, served, half_close):
        with connect(served, receive_buffer=4096) as sock:
            sock.sendall(request("/big?bytes=4194304", headers="Connection: close\r\n"))
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            eventually(lambda: readable(sock, 0), "the beginning of the answer")
            status, _, body = Replies(sock).next()
            assert (status, len(body)) == (200, 4_194_304)
            assert ended(sock)

    def test_what_has_two_readings_is_refused_and_the_connection_closed(self, served):
        """All of tests/requests/invalid is fed to the parser; these go through the whole server."""
        host = b"Host: test\r\n"
        post = b"POST /echo HTTP/1.1\r\n" + host
        for data, status in (
            (post + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (post + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
            (post + b"Content-Length: +3\r\n\r\nabc", 400),
            (post + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
            (post + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: test\r\n folded\r\n\r\n", 400),
            (b"GET / HTTP/1.1\nHost: test\n\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"X: a\0b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host * 2 + b"\r\n", 400),
            (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
            (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"x" * 17000 + b"\r\n\r\n", 431),
            (post + b"Content-Length: 99999999\r\n\r\n", 413),
        ):
            with connect(served) as sock:
                sock.sendall(data + request())  # what follows must not be answered
                replies = Replies(sock)
                answer = replies.next()
                assert (answer[0], answer[1]["connection"]) == (status, "close"), data[:80]
                assert replies.next() is None, data[:80]

    def test_error_answer_reaches_a_client_that_is_still_sending(self, served):
        with connect(served) as sock:
            sock.sendall(b"POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 999999999999\r\n\r\n")
            for _ in range(100):
                try:
                    sock.sendall(b"x" * 10_000)
                except (BrokenPipeError, ConnectionResetError):
                    pytest.fail("the server reset a client that was still sending")
            status, headers, _ = Replies(sock).next()
            assert (status, headers["connection"]) == (413, "close")


class TestOthers:
    """What one client does to the others."""

    def test_silent_clients(self, model, served):
        with ExitStack() as crowd:
            silent = [crowd.enter_context(connect(served)) for _ in range(model.held_by or 50)]
            polite = crowd.enter_context(connect(served))
            polite.sendall(request())
            if model.held_by:
                assert patient(served, polite), f"answered beside {len(silent)} silent clients. {model.why}"
                silent[0].close()
            assert Replies(polite).next()[2] == b"hello world!"

    def test_request_that_never_ends_is_dropped(self, model):
        with serve(model.name, "--request-timeout", "0.3") as served, ExitStack() as crowd:
            dripping = [crowd.enter_context(connect(served)) for _ in range(min(model.held_by or 10, 10))]
            for sock in dripping:
                sock.sendall(b"GET / HT")
            while not readable(dripping[0], 0.02):  # however it drips
                with suppress(BrokenPipeError, ConnectionResetError):
                    dripping[0].sendall(b"T")
            assert all(ended(sock) for sock in dripping)
            assert ask(served)[2] == b"hello world!"

    def test_idle_client_is_dropped(self, model):
        with serve(model.name, "--idle-timeout", "0.3") as served, connect(served) as sock:
            sock.sendall(request())
            assert Replies(sock).next()[2] == b"hello world!"
            assert ended(sock)

    def test_slow_reader_holds_up_only_itself(self, model, served):
        with ExitStack() as crowd:
            for _ in range(model.held_by if model.held_by < 10 else 0):
                slow = crowd.enter_context(connect(served, receive_buffer=4096))
                slow.sendall(request("/big?bytes=20000000"))
                eventually(lambda sock=slow: readable(sock, 0), "the beginning of the answer")
            polite = crowd.enter_context(connect(served))
            polite.sendall(request())
            if 0 < model.held_by < 10:
                assert patient(served, polite), f"answered beside a slow reader. {model.why}"
            else:
                assert Replies(polite).next()[2] == b"hello world!"

    def test_client_that_never_reads_cannot_fill_the_memory(self, model, served):
        before = memory_kib(eventually(lambda: calm(model, served), "the crew"))
        with connect(served, receive_buffer=4096) as greedy:
            greedy.setblocking(False)
            try:
                for _ in range(100):
                    greedy.send(request() * 1000)
            except BlockingIOError:
                pass  # the server stopped reading: that is its protection
            with connect(served) as polite:
                polite.sendall(request())
                if model.held_by == 1:
                    assert patient(served, polite), model.why
                else:
                    assert Replies(polite).next()[2] == b"hello world!"
            if model.name == "fork":
                eventually(lambda: len(served.workers()) == 1, "the end of the polite client's process")
            assert memory_kib(served.everyone()) - before < 16 * 1024

    @pytest.mark.parametrize("route", ["slow", "cpu"])
    def test_where_a_slow_handler_stops_the_others(self, model, served, route):
        if model.stalled_by > 10:
            pytest.skip(f"{model.stalled_by} slow requests would be needed. {model.why}")
        several = model.name == "multireactor"  # there the hash decides who shares a worker with the slow one
        goodbye = "Connection: close\r\n"
        with ExitStack() as crowd:
            slow = [crowd.enter_context(connect(served)) for _ in range(1 if several else model.stalled_by)]
            for sock in slow:
                sock.sendall(request(f"/{route}?seconds={3 if several else 0.5}", headers=goodbye))
            eventually(lambda: all(taken(served, sock) for sock in slow), "the slow requests read")
            polite = [crowd.enter_context(connect(served)) for _ in range(24)]
            for sock in polite:
                sock.sendall(request("/who", headers=goodbye))
            eventually(lambda: any(readable(sock, 0) for sock in polite), "the first of the polite answered")
            one_is_done = any(readable(sock, 0.1) for sock in slow)  # the reactor still has to write it
            assert one_is_done != several, f"{len(slow)} slow handlers and the others. {model.why}"
            assert all(Replies(sock).next()[0] == 200 for sock in (*slow, *polite))


def taken(served, sock):
    """True once the server has read all that this client sent, from two looks at /proc/net/tcp: first all
    was acknowledged, which is to say that it had arrived; and then none of it was left unread."""
    server, client = f"0100007F:{served.port:04X}", f"0100007F:{sock.getsockname()[1]:04X}"
    return queue_lengths(client, server)[0] == 0 and queue_lengths(server, client)[1] in (0, None)


def queue_lengths(local, remote):
    """(bytes not acknowledged, bytes not read) of one connected socket; Nones where it has been closed."""
    with open("/proc/net/tcp") as table:
        for row in table:
            if f"{local} {remote}" in row:
                unsent, _, unread = row.split()[4].partition(":")
                return int(unsent, 16), int(unread, 16)
    return None, None


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


def calm(model, served):
    """The server's processes, once there are only those that stay; before that None."""
    everyone = served.everyone()
    return everyone if len(everyone) == 1 + model.crew else None


def answer_or_end(sock):
    """The status of the next answer, or None where the connection was ended without one."""
    try:
        reply = Replies(sock).next()
    except ConnectionResetError:
        return None
    return reply and reply[0]


class TestStop:
    """Signals: in order for SIGTERM and SIGINT, and nothing left behind after SIGKILL."""

    @pytest.mark.parametrize(
        "signals", [(signal.SIGTERM,), (signal.SIGTERM, signal.SIGTERM)], ids=["once", "twice"]
    )
    def test_what_is_in_flight_is_finished(self, model, served, signals):
        with connect(served) as busy, connect(served) as other:
            began = time.monotonic()
            busy.sendall(request("/slow?seconds=1"))
            eventually(lambda: taken(served, busy), "the slow request read")
            other.sendall(request())  # perhaps still in the accept queue
            served.process.send_signal(signals[0])
            in_flight = time.monotonic() < began + 1  # unless the machine is too slow to tell
            assert served.stop(*signals[1:] or [0]) == 0
            status, headers, _ = Replies(busy).next()
            assert status == 200 and (headers["connection"] == "close" or not in_flight)
            assert Replies(other).next()[2] == b"hello world!"
            assert ended(busy)

    def test_the_accept_queue_is_taken_too(self, served):
        everyone = served.everyone()
        for pid in everyone:
            os.kill(pid, signal.SIGSTOP)
        with connect(served) as queued:
            queued.sendall(request())
            served.process.send_signal(signal.SIGTERM)
            for pid in everyone:
                os.kill(pid, signal.SIGCONT)
            assert Replies(queued).next()[2] == b"hello world!"
            assert served.process.wait(PATIENCE) == 0

    def test_keep_alive_connections_end_at_a_boundary(self, served):
        with connect(served) as sock:
            sock.sendall(request())
            replies = Replies(sock)
            assert replies.next()[0] == 200
            served.process.send_signal(signal.SIGTERM)
            assert replies.next() is None
            assert served.process.wait(PATIENCE) == 0

    def test_silent_clients_do_not_hold_up_the_stop(self, served):
        with ExitStack() as crowd:
            for _ in range(5):
                crowd.enter_context(connect(served))
            assert served.stop() == 0

    def test_interrupt_of_the_whole_group(self, served):
        with connect(served) as sock:
            sock.sendall(request("/slow?seconds=1"))
            eventually(lambda: taken(served, sock), "the slow request read")
            os.killpg(served.pid, signal.SIGINT)
            assert Replies(sock).next()[0] == 200
            assert served.process.wait(PATIENCE) == 0

    def test_restart_at_once_on_the_same_port(self, model, served):
        with connect(served) as sock:  # the server closes first and keeps TIME_WAIT
            sock.sendall(request(headers="Connection: close\r\n"))
            assert ended(sock)
        assert served.stop() == 0
        again = [*command(model.name)[:-1], f"127.0.0.1:{served.port}"]
        process = subprocess.Popen(again, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == f"listening 127.0.0.1:{served.port}\n"
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0
            process.communicate()

    def test_a_port_in_use_is_one_line(self, model, served):
        second = subprocess.run(
            [*command(model.name)[:-1], f"127.0.0.1:{served.port}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert (second.returncode, second.stdout) == (1, "")
        (line,) = second.stderr.splitlines()
        assert f"port {served.port}" in line and "in use" in line

    def test_the_reader_of_stdout_is_gone(self, model):
        with serve(model.name) as served:
            served.process.stdout.close()
            assert ask(served)[2] == b"hello world!"
            assert served.stop() == 0

    def test_killed_worker_is_replaced(self, model, served):
        if not model.crew:
            pytest.skip("this model has no crew to replace")
        eventually(lambda: len(served.workers()) == model.crew, "the crew")
        crew = served.workers()
        with connect(served) as bystander:
            bystander.sendall(request("/who"))
            owner = json.loads(Replies(bystander).next()[2])["pid"]
            victim = next(pid for pid in crew if pid != owner)
            os.kill(victim, signal.SIGKILL)
            eventually(
                lambda: victim not in served.workers() and len(served.workers()) == len(crew), "a successor"
            )
            bystander.sendall(request())
            assert Replies(bystander).next()[2] == b"hello world!"
        assert ask(served)[2] == b"hello world!"

    def test_killed_master_leaves_no_orphan(self, model, served):
        with connect(served) as sock:
            sock.sendall(request())
            assert Replies(sock).next()[0] == 200
            workers = served.workers()
            assert served.stop(signal.SIGKILL) == -signal.SIGKILL
            eventually(lambda: not any(alive(pid) for pid in workers), "the end of all workers")
        with pytest.raises(ConnectionRefusedError):
            connect(served)


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_every_model_of_the_course_is_under_contract():
    from evolution import GENERATIONS

    assert tuple(model.name for model in MODELS) == GENERATIONS


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_stop_during_the_start(model):
    """Whenever SIGTERM comes after the interpreter is up, the server ends at once and in order."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *command(model.name)[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while "evolution.core.http" not in process.stderr.readline():  # in the middle of its imports
            pass
        process.terminate()
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    finally:
        process.kill()


class TestSharedListener:
    """The other way of multireactor: one listener for all its workers."""

    @pytest.fixture
    def served(self):
        with serve("multireactor", "--share", "listener") as served:
            yield served

    def test_all_are_answered_beside_silent_ones(self, served):
        with ExitStack() as crowd:
            for _ in range(50):
                crowd.enter_context(connect(served))
            polite = [crowd.enter_context(connect(served)) for _ in range(100)]
            for sock in polite:
                sock.sendall(request())
            assert all(Replies(sock).next()[2] == b"hello world!" for sock in polite)
            assert served.stop() == 0

    def test_whoever_waits_in_the_queue_survives_the_death_of_a_worker(self, served):
        crew = eventually(lambda: len(found := served.workers()) == 2 and found, "the crew")
        for pid in crew:
            os.kill(pid, signal.SIGSTOP)
        with connect(served) as queued:
            queued.sendall(request())
            os.kill(crew[0], signal.SIGKILL)
            os.kill(crew[1], signal.SIGCONT)
            assert Replies(queued).next()[2] == b"hello world!"
        eventually(lambda: len(served.workers()) == 2 and crew[0] not in served.workers(), "a successor")

    def test_nobody_is_left_after_the_master_was_killed(self, served):
        crew = eventually(lambda: len(found := served.workers()) == 2 and found, "the crew")
        assert served.stop(signal.SIGKILL) == -signal.SIGKILL
        eventually(lambda: not any(alive(pid) for pid in crew), "the end of all workers")

    def test_a_port_in_use_is_one_line(self, served):
        again = [*command("multireactor")[:-1], f"127.0.0.1:{served.port}", "--share", "listener"]
        second = subprocess.run(again, capture_output=True, text=True, timeout=PATIENCE)
        assert (second.returncode, len(second.stderr.splitlines())) == (1, 1)
