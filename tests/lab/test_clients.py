"""The cards and the plan; and what each card does, as the server's side of the socket sees it."""

import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution.lab import clients, probe
from evolution.lab.client import ENDS, Answers, Client
from evolution.lab.clients import CARDS, ClientError, plan, roster
from evolution.lab.conversations import SCRIPTS

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for a fact."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Probing:
    """A probe as a child process, and the listening socket that its clients are sent to."""

    def __init__(self, crowd, seconds=PATIENCE, listen=True, more=()):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096) if listen else socket.socket()
        if not listen:  # bound but not listening: refused
            self.listener.bind(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.plan = plan("tcp://{}:{}".format(*self.listener.getsockname()), crowd, seconds) | dict(more)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evolution.lab.probe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.process.stdin.write(json.dumps(self.plan).encode() + b"\n")
        self.process.stdin.flush()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.events, self._rest, self._taken = [], b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.listener.close()

    def accept(self):
        sock, _ = self.listener.accept()
        sock.settimeout(PATIENCE)
        return sock

    def request(self):
        """Accept one client and read until its request is complete: (socket, bytes)."""
        sock, data = self.accept(), b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        return sock, data

    def until(self, state, count=1):
        """Read on until `count` events of this state (or kind) have come; return them."""
        while True:
            found = [each for each in self.events if state in (each.get("state"), each["kind"])]
            if len(found) >= count:
                return found
            assert self.selector.select(PATIENCE), f"never told: {state}; so far {self.states()}"
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, f"ended without {state}; so far {self.states()}"
            *lines, self._rest = (self._rest + data).split(b"\n")
            self.events += map(json.loads, lines)

    def states(self, client="c1"):
        return [each["state"] for each in self.events if each.get("id") == client]

    def finish(self):
        """Read to the end; return the exit status."""
        self.until("end")
        return self.process.wait(PATIENCE)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


# --- cards and plans ---


def test_every_card_has_a_script_and_a_sentence():
    assert CARDS.keys() == SCRIPTS.keys()
    for card in CARDS.values():
        assert card.title[0].isupper() and card.sentence.endswith(".") and card.sentence[0].isupper()


@pytest.mark.parametrize("name", CARDS)
def test_defaults_lie_within_their_bounds(name):
    assert CARDS[name].check({}) == CARDS[name].defaults
    assert {"n", "gap"} <= CARDS[name].defaults.keys()


def test_a_plan_keeps_the_order_of_connecting():
    crowd = [("silent", 1), ("polite", 2, {"gap": 0.5}), "keep_alive", ("polite", 1)]
    who = list(roster(plan("127.0.0.1:80", crowd)))
    assert [each["id"] for each in who] == ["c1", "c2", "c3", "c4", "c5"]
    assert [each["label"] for each in who] == ["silent 1", "polite 1", "polite 2", "keep-alive 1", "polite 3"]
    assert [each["at"] for each in who] == pytest.approx([0, 0.5, 1.0, 1.01, 1.02])


def test_a_plan_survives_json():
    made = plan("127.0.0.1:80", [("silent", 1, {"for": 2}), ("resetting", 1, {"when": "reading"})])
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        ([], "expected a crowd"),
        ("polite", "expected a crowd"),
        ([("rude", 1)], "expected one of the cards polite"),
        ([("polite", 0)], "'n': expected a whole number from 1 to 10,000, not 0"),
        ([("polite", 1.5)], "'n': expected a whole number"),
        ([("polite", True)], "'n': expected a whole number"),
        ([("polite", 1, {"for": 1})], "polite has no option 'for'; it has n, gap, path"),
        ([("polite", 1, {"n": 2})], "expected (card, n, {option: value})"),
        ([("silent", 1, {"for": -1})], "'for': expected a number of seconds from 0 to 120"),
        ([("silent", 1, {"for": "long"})], "not 'long'"),
        ([("polite", 1, {"path": "big"})], "'path': expected a path such as /"),
        ([("polite", 1, {"path": "/a b"})], "without spaces"),
        ([("polite", 1, {"path": "/\r\nX: y"})], "without spaces"),
        ([("resetting", 1, {"when": "never"})], "expected one of asking, waiting, reading"),
        ([("polite", 3, {"gap": 5.0})], "the last client would connect after 10 s"),
        ([("idle", 10_000), ("idle", 10_000)], "clients on this machine, not 20,000"),
    ],
)
def test_a_crowd_that_cannot_be_played_is_explained(crowd, said):
    with pytest.raises(ClientError) as raised:
        plan("127.0.0.1:80", crowd)
    assert said in str(raised.value)


@pytest.mark.parametrize("seconds", [0, -1, 1000, "5", None, True])
def test_the_time_of_an_experiment_has_bounds(seconds):
    with pytest.raises(ClientError, match=r"seconds: expected a number from 0\.1 to 120"):
        plan("127.0.0.1:80", ["polite"], seconds)


@pytest.mark.parametrize("host", ["10.0.0.1", "0.0.0.0", "example.org", "128.0.0.1", "127.1"])
def test_only_this_machine_is_a_target(host):
    with pytest.raises(ClientError, match=r"127\.x\.x\.x"):
        plan((f"tcp://{host}:80"), ["polite"])


def test_the_probe_itself_refuses_other_machines():
    made = plan("127.0.0.1:80", ["polite"]) | {"host": "192.0.2.1"}
    done = subprocess.run(
        [sys.executable, "-m", "evolution.lab.probe"],
        input=json.dumps(made) + "\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert "192.0.2.1" in json.loads(done.stdout)["note"]


@pytest.mark.parametrize("text", ["", "{}\n", "nonsense\n", '{"host": "127.0.0.1", "port": 1}\n', "[1]\n"])
def test_what_is_no_plan_is_one_error(text):
    command = [sys.executable, "-m", "evolution.lab.probe"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout)["kind"] == "error"


# --- what each card does ---


def test_polite():
    with Probing([("polite", 1, {"path": "/x?y=1"})]) as probing:
        sock, data = probing.request()
        assert data.startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert b"Connection: close" in data
        sock.sendall(ANSWER)
        assert sock.recv(1) == b""
        assert probing.finish() == 0
        assert probing.states() == ["connecting", "connected", "asked", "receiving", "answered", "done"]
        received = probing.until("receiving")[0]
        assert (received["bytes"], received["total"]) == (len(ANSWER), len(ANSWER))
        assert probing.events[-1]["t"] < PATIENCE  # it does not sit out its time when all have ended


def test_events_are_in_order_of_time_and_carry_the_port():
    with Probing([("polite", 2)]) as probing:
        ports = []
        for _ in range(2):
            sock, _ = probing.request()
            ports.append(sock.getpeername()[1])
            sock.sendall(ANSWER)
        probing.finish()
        times = [each["t"] for each in probing.events]
        assert times == sorted(times) and times[0] == 0
        assert [each["port"] for each in probing.until("connecting", 2)] == ports
        assert probing.events[0]["kind"] == "start" and probing.events[-1]["kind"] == "end"


def test_keep_alive_asks_again_on_the_same_connection():
    with Probing([("keep_alive", 1, {"requests": 3, "pause": 0.0})]) as probing:
        sock, first = probing.request()
        assert b"Connection: close" not in first
        sock.sendall(ANSWER)
        assert b"Connection: close" not in sock.recv(65536)
        sock.sendall(ANSWER)
        assert b"Connection: close" in sock.recv(65536)
        sock.sendall(ANSWER)
        assert sock.recv(1) == b""
        probing.finish()
        assert probing.states().count("answered") == 3
        assert probing.states()[-1] == "done"


def test_silent_says_nothing_and_leaves():
    with Probing([("silent", 1, {"for": 0.0})]) as probing:
        assert probing.accept().recv(1) == b""
        probing.finish()
        assert probing.states() == ["connecting", "connected", "done"]


def test_silent_notices_that_the_server_hangs_up():
    with Probing(["silent"]) as probing:
        sock = probing.accept()
        sock.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        sock.close()
        probing.finish()
        assert probing.states() == ["connecting", "connected", "receiving", "closed"]
        assert probing.until("receiving")[0]["note"] == "HTTP/1.1 408 Request Timeout"


def test_dripping_sends_one_byte_at_a_time():
    with Probing([("dripping", 1, {"interval": 10.0})]) as probing:
        assert probing.accept().recv(100) == b"G"
        assert probing.states() in ([], ["connecting", "connected"])


def test_dripping_sends_its_whole_request():
    with Probing([("dripping", 1, {"interval": 0.001})]) as probing:
        sock, data = probing.request()
        assert data.startswith(b"GET / HTTP/1.1\r\n") and data.endswith(b"\r\n\r\n")
        sock.sendall(ANSWER)
        probing.finish()
        assert probing.states() == ["connecting", "connected", "asked", "receiving", "answered", "done"]


def test_dripping_takes_an_early_answer():
    with Probing([("dripping", 1, {"interval": 10.0})]) as probing:
        sock = probing.accept()
        sock.recv(1)
        sock.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        probing.finish()
        assert probing.states() == ["connecting", "connected", "receiving", "answered", "done"]


def test_slow_reader_leaves_the_answer_in_the_buffers():
    total = 20_000_000
    with Probing([("slow_reader", 1, {"interval": 5.0, "sip": 10})]) as probing:
        sock, data = probing.request()
        assert data.startswith(b"GET /big ")
        sock.setblocking(False)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total
        sent = sock.send(head + bytes(total))
        assert sent < total
        assert probing.until("receiving")[0]["bytes"] == 10
        probing.process.send_signal(signal.SIGTERM)
        probing.finish()
        assert probing.states()[-1] == "closed"


def test_slow_reader_has_a_small_receive_buffer():
    """The kernel doubles what is asked for (socket(7))."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        class Loop:
            target = listener.getsockname()
            now = staticmethod(lambda: 0.0)
            emit = bind_source = staticmethod(lambda _: None)

        (entry,) = roster(plan("127.0.0.1:80", [("slow_reader", 1, {"window": 3000})]))
        client = Client(Loop, entry, SCRIPTS)
        next(client.script)
        assert client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 6000
        client.sock.close()


def test_slow_reader_that_runs_out_of_time_was_not_timed_out():
    with Probing([("slow_reader", 1, {"sip": 1, "interval": 0.01})], seconds=0.3) as probing:
        sock, _ = probing.request()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(2000))
        probing.finish()
        assert probing.until("closed")[0]["note"].startswith("left at the end with ")


def test_half_closing_still_reads():
    with Probing(["half_closing"]) as probing:
        sock, _ = probing.request()
        assert sock.recv(1) == b""  # its end of the stream came first
        sock.sendall(ANSWER)
        probing.finish()
        assert probing.states()[-2:] == ["answered", "done"]


@pytest.mark.parametrize("when", ["asking", "waiting", "reading"])
def test_resetting(when):
    with Probing([("resetting", 1, {"when": when, "for": 0.0})]) as probing:
        sock = probing.accept()
        data = b""
        with pytest.raises(ConnectionResetError):
            while piece := sock.recv(65536):
                data += piece
                if when == "reading" and data.endswith(b"\r\n\r\n"):
                    sock.sendall(ANSWER)
        assert data.endswith(b"\r\n\r\n") == (when != "asking")
        probing.finish()
        end = probing.until("reset")[0]
        assert end["own"] is True and "errno" not in end


def test_pipelining_puts_all_requests_into_one_packet():
    with Probing([("pipelining", 1, {"requests": 4})]) as probing:
        sock = probing.accept()
        data = sock.recv(65536)
        assert data.count(b"GET / HTTP/1.1\r\n") == data.count(b"\r\n\r\n") == 4
        assert data.count(b"Connection: close") == 1
        sock.sendall(ANSWER * 3)
        probing.until("receiving")
        assert "answered" not in probing.states()
        sock.sendall(ANSWER)
        probing.finish()
        assert probing.states()[-1] == "done"


def test_idle_is_a_crowd_that_holds_on():
    with Probing([("idle", 300)]) as probing:
        probing.until("connected", 300)
        assert probing.descriptors() >= 300


def test_vanishing_is_gone_before_accept():
    with Probing([("vanishing", 5)]) as probing:
        probing.finish()
        for _ in range(5):
            with pytest.raises(ConnectionResetError):
                probing.accept().recv(1)
        told = [(each["id"], each["state"]) for each in probing.events if each["kind"] == "client"]
        one_after_the_other = ("connecting", "connected", "reset")
        assert told == [(f"c{n}", state) for n in range(1, 6) for state in one_after_the_other]


# --- ends ---


def test_refused_with_the_errno():
    with Probing([("polite", 1)], listen=False) as probing:
        assert probing.finish() == 0
        assert probing.states() == ["connecting", "refused"]
        assert probing.until("refused")[0]["errno"] == "ECONNREFUSED"


def test_reset_by_the_server():
    with Probing(["silent"]) as probing:
        sock = probing.accept()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        probing.finish()
        end = probing.until("reset")[0]
        assert end["errno"] == "ECONNRESET" and "own" not in end


def test_an_answer_cut_short():
    with Probing([("polite", 1)]) as probing:
        sock, _ = probing.request()
        sock.sendall(ANSWER[:-2])
        sock.close()
        probing.finish()
        assert probing.states()[-1] == "closed"
        assert probing.until("closed")[0]["note"] == f"the server closed after {len(ANSWER) - 2} bytes"


def test_an_answer_without_a_length_ends_with_the_stream():
    with Probing([("polite", 1)]) as probing:
        sock, _ = probing.request()
        sock.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
        sock.close()
        probing.finish()
        assert probing.states()[-2:] == ["answered", "done"]


def test_the_experiment_ends_after_its_time():
    with Probing([("polite", 1), ("silent", 1, {"for": 100.0})], seconds=0.2) as probing:
        assert probing.finish() == 0
        assert probing.states("c1") == ["connecting", "connected", "asked", "timed_out"]
        assert probing.states("c2") == ["connecting", "connected", "closed"]
        assert probing.events[-1]["note"] == "complete"


@pytest.mark.parametrize("how", ["stop", "eof", "SIGTERM"])
def test_stop_ends_everything_at_once(how):
    with Probing([("idle", 50), ("polite", 5, {"gap": 0.0}), ("polite", 1, {"gap": 10.0})]) as probing:
        probing.until("connected", 55)
        if how == "stop":
            probing.process.stdin.write(b"stop\n")
            probing.process.stdin.flush()
        elif how == "eof":
            probing.process.stdin.close()
        else:
            probing.process.send_signal(signal.SIGTERM)
        assert probing.finish() == 0
        assert len(probing.until("closed", 55)) == 55
        assert probing.events[-1]["note"] == "stopped"


def test_every_client_ends_exactly_once():
    crowd = [(name, 3) for name in CARDS]
    with Probing(crowd, seconds=0.5) as probing:
        probing.finish()
        ends = [each["id"] for each in probing.events if each.get("state") in ENDS]
        assert sorted(ends) == sorted(each["id"] for each in roster(probing.plan))


def test_no_descriptor_is_left_behind():
    crowd = [("silent", 1, {"for": 100.0}), ("vanishing", 40), ("silent", 1, {"for": 100.0})]
    with Probing(crowd) as probing:
        probing.until("connected", 1)
        probing.until("reset", 40)
        probing.until("connected", 42)
        open_sockets = [
            name
            for fd in Path(f"/proc/{probing.process.pid}/fd").iterdir()
            if (name := str(fd.readlink())).startswith("socket:")
        ]
        assert len(open_sockets) == 2


def test_a_reader_that_does_not_read_holds_no_client_up():
    """The pipe fills up, and the clients go on: the server sees all of them."""
    with Probing([("vanishing", 4000)]) as probing:
        for _ in range(4000):
            probing.accept().close()
        probing.finish()
        assert len(probing.until("reset", 4000)) == 4000


def test_the_epoch_can_come_with_the_plan():
    with Probing([("silent", 1, {"for": 0.0})], more={"epoch": 0.0, "seconds": 1e9}) as probing:
        probing.finish()
        assert probing.events[0]["epoch"] == 0.0
        assert probing.until("connected")[0]["t"] > 1.0  # the machine's uptime


def test_beyond_the_limit_of_a_source_the_next_address_and_a_port_of_our_choice():
    sources = probe.Sources()
    with socket.socket() as near, socket.socket() as far, socket.socket() as further:
        sources.bind(near, probe.PER_SOURCE - 1)
        sources.bind(far, probe.PER_SOURCE)
        sources.bind(further, 2 * probe.PER_SOURCE)
        assert near.getsockname() == ("0.0.0.0", 0)
        assert far.getsockname()[0] == "127.0.0.2" and further.getsockname()[0] == "127.0.0.3"
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            lowest = int(file.read().split()[0])
        ports = far.getsockname()[1], further.getsockname()[1]
        assert ports[0] != ports[1] and max(ports) < lowest


def test_as_many_clients_as_there_are_descriptors(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    assert clients.most() == 100 - clients.SPARE


# --- the end of an answer ---


@given(
    st.lists(st.binary(max_size=30), min_size=1, max_size=5),
    st.lists(st.integers(1, 20), max_size=40),
)
def test_answers_are_counted_however_they_are_split(bodies, cuts):
    stream = b"".join(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies
    )
    answers, complete = Answers(), 0
    for size in [*cuts, len(stream)]:
        complete += answers.feed(stream[:size])
        stream = stream[size:]
    assert complete == len(bodies)
    assert not answers.end_of_stream()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(status):
    answers = Answers()
    assert answers.feed(f"HTTP/1.1 {status}\r\n\r\n".encode()) == 1
    assert (answers.status, answers.total) == (f"HTTP/1.1 {status}", len(status) + 13)
