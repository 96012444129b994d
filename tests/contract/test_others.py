"""The contract, company: who waits for whom, and who is dropped."""

from contextlib import ExitStack, suppress

import pytest
from contract import calm, patient, taken
from serving import Replies, ask, connect, ended, eventually, memory_kib, readable, request, serve


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
