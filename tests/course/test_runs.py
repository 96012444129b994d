"""The bench's runs: output, exit status, family, orphans; and what a client can tell of silence."""

import signal
import sys
import textwrap

import pytest

from evolution.course import exercise, talk
from evolution.course.bench import Bench, Spins
from evolution.course.verdict import Crashed, Unrecognised, Wrong

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at through /proc")


class Folder:
    """Stands for an exercise: its host.py is all that a run needs."""

    title = "a test"

    def __init__(self, host):
        self.host = textwrap.dedent(host)

    def read(self, name):
        assert name == "host.py"
        return self.host


@pytest.fixture
def run():
    runs = []

    def run(host, *arguments, answer="", **options):
        runs.append(Bench(Folder(host), textwrap.dedent(answer)).run(*arguments, **options))
        return runs[-1]

    yield run
    for each in runs:
        each.close()
        assert each.sandbox.report.left == []


def test_arguments_stdin_output_and_exit_status(run):
    found = run(
        "import sys; print('got', sys.argv[1:], sys.stdin.read()); print('oh', file=sys.stderr); sys.exit(3)",
        "7",
        "x",
        stdin=b"some words",
    )
    assert found.expect("got ", 5.0) == "['7', 'x'] some words"
    assert found.wait(5.0).status == 3 and found.status == 3
    assert "oh\n" in found.sandbox.errors


def test_without_stdin_there_is_nothing_to_read(run):
    assert run("import sys; print('read', repr(sys.stdin.read()))").expect("read ", 5.0) == "''"


FAMILY = """
    import os, signal, time
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
    print("ready", flush=True)
    signal.pause()
"""


def test_the_family_can_be_counted_signalled_and_seen_dying(run):
    found = run(FAMILY)
    found.expect("ready", 5.0)
    children = list(found.family.states())
    assert len(children) == 3 and found.family.zombies() == []
    assert found.signal(signal.SIGKILL, children[0])
    assert found.family.until(lambda: found.family.zombies() == [children[0]], 5.0)
    assert len(found.family.all()) == 4
    assert not found.signal(signal.SIGKILL, 1), "nobody of ours"


def test_a_grandchild_without_a_parent_is_an_orphan_of_the_nanny(run):
    found = run(
        """
        import os, signal, time
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                time.sleep(30)
            os._exit(0)
        os.waitpid(child, 0)
        print("ready", flush=True)
        signal.pause()
        """
    )
    found.expect("ready", 5.0)
    assert found.family.below() == []
    (orphan,) = found.orphans()
    assert {each.pid for each in found.family.all()} == {found.pid, orphan}
    assert found.signal(signal.SIGKILL, orphan)
    assert found.family.until(lambda: found.orphans() == [], 5.0), "the nanny reaps what it adopts"


LEAVES_ONE = """
    import os, time
    if os.fork() == 0:
        time.sleep(30)
"""


def test_what_is_left_lingers_to_be_looked_at(run):
    found = run(LEAVES_ONE, linger=20.0)
    assert found.family.until(lambda: found.status == 0, 5.0)
    assert found.sandbox.alive and len(found.orphans()) == 1
    found.signal(signal.SIGKILL, found.orphans()[0])
    report = found.wait(5.0)
    assert (report.why, report.status, report.company) == ("exited", 0, 0), "it ends with the last of them"


def test_without_lingering_it_is_counted_and_swept(run):
    report = run(LEAVES_ONE).wait(5.0)
    assert (report.why, report.status, report.company, report.left) == ("exited", 0, 1, [])


def test_expect_says_why_nothing_came(run):
    with pytest.raises(Crashed) as ended:
        run("raise SystemExit(2)").expect("ready", 5.0)
    assert "it ended with exit status 2" in ended.value.evidence
    with pytest.raises(Unrecognised) as sleeping:
        run("import signal; signal.pause()").expect("ready", 1.0)
    assert "asleep in pause" in sleeping.value.evidence[-1]


def test_a_file_that_it_writes_can_be_read(run):
    found = run(
        """
        import pathlib, signal
        pathlib.Path("journal.txt").write_text("was here")
        print("ready", flush=True)
        signal.pause()
        """
    )
    found.expect("ready", 5.0)
    assert found.file("journal.txt") == "was here" and found.file("nothing.txt") is None


SERVER = """
    import faulthandler, os, signal, socket, sys, time
    faulthandler.register(signal.SIGUSR1)
    sys.path.insert(0, ".")
    listener = socket.create_server(("127.0.0.1", 0))
    print("listening %s:%s" % listener.getsockname(), flush=True)
    import answer
    answer.serve(listener)
"""


@pytest.fixture
def serve():
    def serve(answer):
        return Bench(Folder(SERVER), textwrap.dedent(answer)).serve()

    return serve


def test_silence_is_judged_by_the_whole_family(serve):
    """The parent sleeps in wait for good; its child still works, so the client must not give up on it."""
    answer = """
        import os, time
        def serve(listener):
            conn, _ = listener.accept()
            if os.fork() == 0:
                conn.recv(100)
                for _ in range(8):
                    time.sleep(0.1)
                conn.sendall(b"late\\n")
                os._exit(0)
            os.wait()
    """
    with serve(answer) as server:
        client = server.connect()
        client.send(b"x\n")
        assert client.hear().text == b"late"


def test_the_last_words_of_a_server_are_heard_however_late_one_looks(serve, monkeypatch):
    """It answers and ends between our look at the socket and our look at the process: it was not silent."""
    judge = talk.Watch.verdict

    def when_it_has_ended(watch, waited):
        watch.server.sandbox.until(lambda: watch.server.status is not None, 10.0)
        return judge(watch, waited)

    monkeypatch.setattr(talk.Watch, "verdict", when_it_has_ended)
    answer = """
        import time
        def serve(listener):
            conn, _ = listener.accept()
            time.sleep(0.2)
            conn.sendall(b"last words\\n")
            raise SystemExit
    """
    with serve(answer) as server:
        client = server.connect()
        assert client.hear().text == b"last words"
        assert client.hear().text is None


def test_a_child_that_spins_is_seen_though_its_parent_sleeps(serve):
    answer = """
        import os
        def serve(listener):
            conn, _ = listener.accept()
            if os.fork() == 0:
                while True:
                    pass
            os.wait()
    """
    with serve(answer) as server:
        assert server.connect().hear(20.0).silent == "spinning"


def test_poll_is_explained_where_the_learner_wrote_recv(serve):
    answer = """
        def serve(listener):
            conn, _ = listener.accept()
            conn.settimeout(20)
            conn.recv(10)
    """
    with serve(answer) as server:
        client = server.connect()
        client.settle()
        where = server.where()
    assert where.startswith(
        "asleep in poll, where Python waits for a socket that has a time-out; your line 5"
    )


def test_a_server_that_never_sleeps_is_no_slow_machine(serve):
    answer = """
        def serve(listener):
            conn, _ = listener.accept()
            conn.setblocking(False)
            while True:
                try:
                    conn.recv(10)
                except BlockingIOError:
                    pass
    """
    with pytest.raises(Spins) as caught, serve(answer) as server:
        client = server.connect()
        client.send(b"x")
        client.settle(20.0)
    assert "s of processor time with nothing to read" in caught.value.evidence[-1]


def test_a_program_that_says_it_listens_and_ends_has_ended():
    host = "import time; print('listening 127.0.0.1:1', flush=True); time.sleep(0.2); raise SystemExit(4)"
    with pytest.raises(Crashed) as caught:
        Bench(Folder(host), "").serve()
    assert "it ended with exit status 4" in caught.value.evidence


# --- the picture of it ---


def found_in(serve, answer, probe):
    with pytest.raises(Wrong) as caught, serve(answer) as server:
        probe(server)
    return caught.value.timeline


ECHO = """
    def serve(listener):
        while True:
            conn, _ = listener.accept()
            data = conn.recv(100)
            if data == b"silence":
                conn.recv(100)
            conn.sendall(data + b"\\n")
            conn.close()
"""


def test_a_finding_has_the_conversation_that_it_cites(serve):
    def probe(server):
        first = server.connect()
        first.send(b"hello")
        assert first.hear().text == b"hello"
        first.close()
        second = server.connect()
        second.send(b"silence")
        assert second.hear().silent == "asleep"
        third = server.connect()
        third.send(b"behind")
        assert third.hear(0.3, hold=True).silent == "held"
        raise Wrong("silent", *second.transcript, *third.transcript, "no answer")

    state = found_in(serve, ECHO, probe)
    second, third = state["lanes"]
    assert [lane["label"] for lane in state["lanes"]] == ["client 2", "client 3"]
    assert {"state": "served", "note": "recv(4)"}.items() <= second["spans"][-1].items()
    assert third["spans"][-1]["state"] == "queued"
    assert [lane["end"]["state"] for lane in (second, third)] == ["timed_out", "timed_out"]
    assert second["spans"][0]["from"] == 0 and third["spans"][0]["from"] > 0.2
    (track,) = state["processes"]
    assert track["spans"][-1]["note"] == "recv(4)"
    assert not state["running"] and "silence" not in str(state["sentence"])


def test_without_a_transcript_it_has_the_clients_that_are_there(serve):
    def probe(server):
        server.connect().close()
        server.connect()
        raise Wrong("some_name", "words of our own")

    assert [lane["label"] for lane in found_in(serve, ECHO, probe)["lanes"]] == ["client 2"]


@pytest.mark.parametrize(
    ("name", "states"),
    [("read_until_eof_deadlock", {"served"}), ("recv_is_a_message", {"connecting"})],
)
def test_a_verdict_carries_the_picture(name, states):
    task = exercise.load("read_line")
    state = exercise.check("read_line", task.folder / "wrong" / f"{name}.py").details["timeline"]
    (lane,) = state["lanes"]
    assert states <= {span["state"] for span in lane["spans"]}
    assert state["title"] == "Read one line: what the check saw"
    assert ("; client 1 ended its side after" in state["sentence"]) == (name == "read_until_eof_deadlock")


def test_a_pass_has_nothing_to_replay():
    task = exercise.load("restart")
    assert exercise.check("restart", task.folder / "solution.py").details.get("timeline") is None
