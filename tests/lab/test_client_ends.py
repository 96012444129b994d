"""How clients end, each exactly once; how many there can be; and where an answer ends."""

import resource
import signal
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing import ANSWER, Probing

from evolution.lab import clients, probe
from evolution.lab.client import ENDS, Answers
from evolution.lab.clients import CARDS, roster

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
