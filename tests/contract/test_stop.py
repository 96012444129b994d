"""The contract, signals: stopping, restarting, lost workers and masters."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from contract import MODELS, alive, taken
from serving import PATIENCE, Replies, ask, command, connect, ended, eventually, request, serve


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
