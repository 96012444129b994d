"""Random lives of connections against every model, found and shortened by hypothesis.

A machine connects, sends parts, pipelines, reads or does not, half-closes, resets and kills workers in
random order, and keeps the books: which complete requests still wait for which answers. What holds at any
moment: the answers come right, whole and in order; whoever is not held by others is answered; at the end
nothing is left. EVOLUTION_EXAMPLES=200 runs as many new examples a model and shortens what fails; without
it they are the same ten, and a failure is shown as it came.
"""

import os
import signal
import socket
from contextlib import ExitStack

import psutil
import pytest
from contract import MODELS, calm
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from serving import Replies, ask, connect, descriptors, ended, eventually, request, reset, serve

EXAMPLES = int(os.environ.get("EVOLUTION_EXAMPLES", "0"))
BIG = 6 << 20
"""Bytes: more than the kernel's buffers of both sides hold, so the server has to wait for the reader."""

SETTINGS = settings(
    max_examples=EXAMPLES or 10,
    stateful_step_count=20,
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    phases=[Phase.generate, *[Phase.shrink] * bool(EXAMPLES)],
    suppress_health_check=list(HealthCheck),
)

WHICH = st.integers(0, 5)
GREETING = (200, b"hello world!")


class Client:
    """One connection and its books."""

    def __init__(self, served):
        self.sock = connect(served, receive_buffer=65536)
        self.port = self.sock.getsockname()[1]
        self.replies = Replies(self.sock)
        self.expected = []
        """(status, body) of every complete request that was not read yet; a number stands for a big body."""
        self.rest = b""
        """What is missing of the request that was sent in part."""
        self.sends = True
        self.perhaps_lost = False
        """It was in no process when a worker was killed: it may have waited in that worker's own queue."""

    def say(self, data, *answers):
        """Send the rest of what was begun, then `data`; `answers` are what must come back for both."""
        try:
            self.sock.sendall(self.rest + data)
        except OSError:
            if not self.perhaps_lost:
                raise
        if self.rest:
            self.expected.append(GREETING)
            self.rest = b""
        self.expected.extend(answers)

    def read(self):
        """Read and compare every answer that is due."""
        while self.expected:
            status, body = self.expected.pop(0)
            reply = self.replies.next()
            assert reply, f"the stream ended before the answer {status}"
            assert reply[0] == status
            assert len(reply[2]) == body if type(body) is int else reply[2] == body or status == 400

    def read_to_the_end(self):
        self.read()
        assert self.replies.next() is None, "an answer to nothing"

    def read_what_is_left(self):
        """Its worker was killed: what still comes must be a beginning of what was due."""
        try:
            while reply := self.replies.next():
                status, body = self.expected.pop(0)
                assert reply[0] == status
                assert len(reply[2]) == body if type(body) is int else reply[2] == body or status == 400
        except ConnectionResetError:
            return
        except AssertionError as error:  # the last answer is cut off
            if "stream ended" not in str(error):
                raise


class House:
    """The server that one example hands on to the next, or a new one after an example that failed."""

    def __init__(self, model, stack):
        self.model = model
        self.stack = stack
        self.served = None
        self.in_order = False

    def enter(self):
        if not self.in_order:
            self.stack.close()
            self.served = self.stack.enter_context(serve(self.model.name))
        self.in_order = False
        return self.served


class Crowd(RuleBasedStateMachine):
    """The clients, in the order in which they connected, which is the order in which they are accepted."""

    def __init__(self, house):
        super().__init__()
        self.house = house
        self.model = model = house.model
        self.served = served = house.enter()
        self.clients = []
        self.numbers = iter(range(1_000_000))
        self.killed = False
        with connect(served) as first:  # the server has made all that it keeps once it has served somebody
            first.sendall(request(headers="Connection: close\r\n"))
            assert Replies(first).next()[::2] == GREETING
            assert ended(first)
        eventually(lambda: calm(model, served) and asleep(served), "the crew, and all asleep")
        self.everyone = len(served.everyone())
        self.descriptors = descriptors(served.everyone())

    def pick(self, which, fits=lambda client: True):
        fitting = [client for client in self.clients if fits(client)]
        return fitting[which % len(fitting)] if fitting else None

    def sender(self, which):
        return self.pick(which, lambda client: client.sends)

    def held(self, client=None):
        """True where those who came before, silent perhaps, can take all that the model has to give."""
        before = self.clients.index(client) if client else len(self.clients)
        return 0 < self.model.held_by <= before

    def echo(self):
        body = b"%d" % next(self.numbers)
        return request("/echo", "POST", body), (200, body)

    @precondition(lambda self: len(self.clients) < 6)
    @rule()
    def connect(self):
        self.clients.append(Client(self.served))

    @rule(which=WHICH, cut=st.integers(1, len(request()) - 1))
    def send_a_part(self, which, cut):
        if client := self.sender(which):
            client.say(request()[:cut])
            client.rest = request()[cut:]

    @rule(which=WHICH, count=st.integers(1, 50))
    def pipeline(self, which, count):
        if client := self.sender(which):
            sent, due = zip(*(self.echo() for _ in range(count)), strict=True)
            client.say(b"".join(sent), *due)

    @rule(which=WHICH, last=st.booleans())
    def ask_for_much_and_do_not_read(self, which, last):
        if client := self.sender(which):
            headers = "Connection: close\r\n" if last else ""
            client.say(request(f"/big?bytes={BIG}", headers=headers), (200, BIG))
            client.sends = not last

    @rule(which=WHICH, nonsense=st.booleans())
    def send_the_last(self, which, nonsense):
        if client := self.sender(which):
            if nonsense:
                client.say(b"nonsense\r\n\r\n", (400, b""))
            else:
                client.say(request(headers="Connection: close\r\n"), GREETING)
            client.sends = False

    @rule(which=WHICH)
    def half_close(self, which):
        if client := self.sender(which):
            client.sends = False
            try:
                client.sock.shutdown(socket.SHUT_WR)
            except OSError:
                assert client.perhaps_lost

    @rule(which=WHICH)
    def read(self, which):
        if client := self.pick(which, lambda client: not self.held(client) and not client.perhaps_lost):
            client.read()

    @rule(which=WHICH)
    def read_to_the_end(self, which):
        if client := self.pick(
            which, lambda client: not (client.sends or client.perhaps_lost or self.held(client))
        ):
            client.read_to_the_end()
            self.leave(client)

    @rule(which=WHICH, hard=st.booleans())
    def go(self, which, hard):
        if client := self.pick(which):
            if hard:
                reset(client.sock)
            self.leave(client)

    def leave(self, client):
        client.sock.close()
        self.clients.remove(client)

    @precondition(lambda self: not self.held())
    @rule()
    def a_polite_one_comes(self):
        assert ask(self.served)[::2] == GREETING

    @precondition(lambda self: self.model.crew and not self.killed)
    @rule()
    def kill_the_oldest_worker(self):
        self.killed = True
        workers = eventually(
            lambda: len(found := self.served.workers()) == self.model.crew and found, "the crew"
        )
        victim = min(map(psutil.Process, workers), key=lambda process: process.create_time())
        victim.suspend()  # so that it takes nobody between the look and the end
        eventually(lambda: victim.status() == psutil.STATUS_STOPPED, "the worker stopped")
        hers = ports(victim)
        others = {port for pid in workers if pid != victim.pid for port in ports(psutil.Process(pid))}
        victim.kill()
        eventually(lambda: not victim.is_running(), "its end")  # until then its listener still takes clients
        for client in list(self.clients):
            if client.port in hers:
                client.read_what_is_left()
                self.leave(client)
            elif client.port not in others and self.model.name == "multireactor":
                client.perhaps_lost = True

    def teardown(self):
        try:
            while self.clients:  # the first is held by nobody, and when it goes the next is the first
                client = self.clients[0]
                if client.perhaps_lost:
                    client.sock.close()
                elif client.sends:
                    client.read()
                else:
                    client.read_to_the_end()
                self.leave(client)
            assert ask(self.served)[::2] == GREETING
            eventually(
                lambda: len(calm(self.model, self.served) or ()) == self.everyone,
                "the processes of the beginning",
            )
            eventually(
                lambda: descriptors(self.served.everyone()) == self.descriptors,
                "the descriptors of the beginning",
            )
            self.house.in_order = True
        finally:
            for client in self.clients:
                client.sock.close()


def asleep(served):
    """True once every process waits: one that is still starting has not opened all that it keeps."""
    return all(psutil.Process(pid).status() == psutil.STATUS_SLEEPING for pid in served.everyone())


def ports(process):
    """The ports of the clients whose connections a process holds."""
    return {conn.raddr.port for conn in process.net_connections("tcp4") if conn.raddr}


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_random_lives(model):
    with ExitStack() as stack:
        house = House(model, stack)
        run_state_machine_as_test(lambda: Crowd(house), settings=SETTINGS)
        assert house.served.stop(signal.SIGTERM) == 0
        assert house.served.errors() == []
