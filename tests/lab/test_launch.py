"""Starting servers: ready means ready, and every way of not getting there has a message that helps."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from serving import eventually

import evolution
from evolution import blocking, lab
from evolution.core.address import Address, AddressError
from evolution.lab import launch, procfs
from evolution.lab.launch import LaunchError

ECHO = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print("listening 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    client.sendall(client.recv(100))
    client.close()
"""


def python(source):
    return [sys.executable, "-c", source]


def answers(server):
    with socket.create_connection(server.address, timeout=20) as client:
        client.sendall(b"hello")
        return client.recv(100) == b"hello"


@pytest.mark.parametrize("name", evolution.GENERATIONS)
def test_every_model_starts_answers_and_stops_in_order(name):
    with launch.start(name) as server:
        assert (server.model, server.alive, server.exit_status) == (name, True, None)
        with socket.create_connection(server.address, timeout=20) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        assert server.stop() == 0
    assert not server.alive
    assert procfs.listen_queue(server.address.port) is None


def test_a_model_may_be_given_as_its_module():
    with lab.start(blocking) as server:
        assert server.model == "blocking"
        assert isinstance(server, lab.Server)


def test_workers_and_arguments_reach_the_command():
    with launch.start("prefork", workers=3, args=["--idle-timeout", 9]) as server:
        assert server.command[-4:] == ["--workers", "3", "--idle-timeout", "9"]
        assert eventually(lambda: len(server.tree()) == 4, "a master and three workers")


def test_the_tree_starts_with_the_main_process():
    with launch.start("prefork", workers=2) as server:
        eventually(lambda: len(server.tree()) == 3, "a master and two workers")
        main, *workers = server.tree()
        assert main.pid == server.pid
        assert {worker.ppid for worker in workers} == {server.pid}
        [listener] = [each for each in main.descriptors if each.kind == "listener"]
        assert listener.address == server.address
    assert server.tree() == []


def test_a_given_address_is_used():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with launch.start("blocking", address=f"tcp://127.0.0.1:{port}") as server:
        assert server.address == Address("127.0.0.1", port)


def test_a_file_of_the_learner_does_not_replace_the_standard_library(tmp_path, monkeypatch):
    Path(tmp_path, "select.py").write_text("raise SystemExit('the wrong select')")
    monkeypatch.chdir(tmp_path)
    with launch.start("select_loop") as server:
        assert server.alive


def test_any_command_that_prints_the_ready_line_is_a_server():
    with launch.run(python(ECHO)) as server:
        assert answers(server)
    assert server.exit_status == -signal.SIGTERM


def test_a_server_outlives_the_thread_that_started_it():
    started = []
    thread = threading.Thread(target=lambda: started.append(launch.run(python(ECHO))))
    thread.start()
    thread.join(20)
    with started[0] as server:
        assert not thread.is_alive()
        assert answers(server)


def test_a_server_that_is_interrupted_by_its_user_ends_with_that_signal():
    with launch.run(python(ECHO)) as server:
        server.signal(signal.SIGUSR1)
        assert server.wait(20) == -signal.SIGUSR1


def test_lines_before_the_ready_line_do_not_matter():
    with launch.run(python("print('listen'); print('listeningX 1')\n" + ECHO)) as server:
        assert answers(server)


def test_a_server_that_prints_without_end_goes_on_serving():
    chatty = ECHO.replace("while True:\n", "while True:\n    print('x' * 300_000, flush=True)\n")
    with launch.run(python(chatty)) as server:
        assert all(answers(server) for _ in range(5))


def test_an_unknown_model_is_answered_with_the_models():
    with pytest.raises(LaunchError) as raised:
        launch.start("epol")
    assert str(raised.value) == f"expected one of {', '.join(evolution.GENERATIONS)}; not 'epol'"
    with pytest.raises(LaunchError, match=r"expected one of .*; not 'os'"):
        launch.start(os)


def test_an_impossible_address_is_refused_before_anything_starts():
    with pytest.raises(AddressError, match="expected tcp://host:port"):
        launch.start("blocking", address="http://127.0.0.1:1")


def test_a_port_in_use_is_told_in_the_servers_own_words():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"exit status 1; its last words: .*port {port} .* in use"):
            launch.start("blocking", address=f"tcp://127.0.0.1:{port}")


def test_a_server_that_ends_before_it_is_ready():
    with pytest.raises(LaunchError) as raised:
        launch.run(python("raise OSError('no luck')"), model="mine", timeout=600)
    message = str(raised.value)
    assert message.startswith("expected the line 'listening HOST:PORT' from mine, but it ended first, exit")
    assert "OSError: no luck" in message


def test_a_server_that_is_killed_before_it_is_ready():
    with pytest.raises(LaunchError, match="killed by signal 9; it said nothing on stderr"):
        launch.run(python("import os; os.kill(os.getpid(), 9)"))


@pytest.mark.parametrize("silence", ["", "trap '' TERM; "], ids=["silent", "deaf too"])
def test_a_server_that_never_gets_ready_is_stopped_again(silence):
    before = set(procfs.children(os.getpid()))
    with pytest.raises(LaunchError, match=r"1\.5 s passed without it .*; its last words: hm"):
        launch.run(["sh", "-c", f"{silence}echo hm >&2; exec sleep 600"], timeout=1.5)
    assert set(procfs.children(os.getpid())) == before


def test_a_ready_line_without_an_address_is_not_ready(capsys):
    with pytest.raises(LaunchError, match="passed without it"):
        launch.run(python("print('listening soon', flush=True); import signal; signal.pause()"), timeout=0.5)
    assert "expected tcp://host:port" in capsys.readouterr().err


def test_an_interrupt_while_waiting_for_readiness_leaves_nothing():
    source = """
import os, signal, sys
from evolution.lab import launch, procfs
print("starting", flush=True)
try:
    launch.run([sys.executable, "-c", "import signal; signal.pause()"], timeout=600)
except KeyboardInterrupt:
    print("children", procfs.children(os.getpid()))
"""
    kernel = subprocess.Popen(
        python(source), stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    with kernel:
        assert kernel.stdout.readline() == "starting\n"
        server = eventually(lambda: grandchildren(kernel.pid), "the server under its guard")
        eventually(lambda: procfs.process(server[0]).threads[0].call, "its sleep")
        kernel.send_signal(signal.SIGINT)
        assert kernel.stdout.readline() == "children []\n"
        assert kernel.wait(20) == 0


def grandchildren(pid):
    return [grandchild for child in procfs.children(pid) for grandchild in procfs.children(child)]


def test_servers_end_with_the_python_process_that_started_them(orphanage):
    source = "from evolution.lab import launch\ns = launch.start('prefork')\nprint(s.guard_pid, s.pid)"
    done = subprocess.run(python(source), capture_output=True, text=True, check=True, timeout=60)
    pids = [int(word) for word in done.stdout.split()]
    assert [pid for pid in pids if procfs.process(pid)] == []  # not later: when it had ended, they were gone


def test_the_card_says_what_runs_where_and_how_it_ended():
    with launch.start("blocking") as server:
        card = server._repr_mimebundle_()
        text = f"blocking: {server.address}, pid {server.pid}, running"
        assert card["text/plain"] == text
        for word in ("blocking", str(server.address), str(server.pid), "running", "var(--jp-"):
            assert word in card["text/html"]
    assert server._repr_mimebundle_()["text/plain"].endswith("ended, exit status 0")
    assert repr(server) == f"<Server blocking at {server.address}, pid {server.pid}, ended, exit status 0>"


def test_the_card_escapes_what_it_shows():
    with launch.run(python(ECHO), model="<b>&") as server:
        assert "&lt;b&gt;&amp;" in server._repr_mimebundle_()["text/html"]


def test_the_lab_imports_no_widgets_until_they_are_used():
    source = "import sys; from evolution import lab; lab.start, lab.Server, lab.procfs\n"
    source += "print('ipywidgets' in sys.modules)"
    done = subprocess.run(python(source), capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
    assert {"start", "run", "Experiment", "panel", "Server", "procfs"} <= set(dir(lab))
    with pytest.raises(AttributeError, match="no attribute 'strat'"):
        _ = lab.strat
