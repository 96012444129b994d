"""The contract of multireactor's other way, one listener for all."""

import os
import signal
import subprocess
from contextlib import ExitStack

import pytest
from contract import alive
from serving import PATIENCE, Replies, command, connect, eventually, request, serve


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
