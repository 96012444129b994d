"""The guard: whatever happens to the program, or to the process that started it, nothing is left."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from serving import eventually

from evolution.lab import procfs
from evolution.lab.guarded import CHUNK, TAIL, Guarded

DAEMONIC = Path(__file__).with_name("daemonic.py")

# What a notebook's kernel is to the guard: some process that starts a server and prints who is who.
KERNEL = f"""
import os, signal, sys
from evolution.lab import guarded, launch
server = launch.run([sys.executable, {str(DAEMONIC)!r}])
"""
ANNOUNCE = "print(server.guard_pid, server.pid, server.address.port, flush=True)\n"


def python(source):
    return [sys.executable, "-c", source]


def family(guard_pid):
    """The pids of the guard and of everything below it."""
    return [process.pid for process in procfs.tree(guard_pid)]


class Kernel:
    """A running stand-in for a kernel."""

    def __init__(self, source):
        self.process = subprocess.Popen(python(KERNEL + source), stdout=subprocess.PIPE, text=True)
        self.guard_pid, self.server_pid, self.port = map(int, self.process.stdout.readline().split())
        self.family = family(self.guard_pid)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def kernel(orphanage):
    started = []

    def start(source=ANNOUNCE + "signal.pause()"):
        started.append(Kernel(source))
        return started[-1]

    yield start
    for each in started:
        each.end()
        orphanage.await_end(each.family, each.port)


def test_it_runs_a_command_and_tells_its_exit_status():
    with Guarded(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")) as command:
        assert command.wait(20) == 7
        assert (command.output, command.last_words, command.alive) == ("out\n", "err\n", False)


def test_it_tells_the_signal_that_ended_the_command():
    with Guarded(python("import os; os.kill(os.getpid(), 11)")) as command:
        assert command.wait(20) == -signal.SIGSEGV


def test_a_command_that_does_not_exist_ends_with_127_and_says_so():
    with Guarded(["no-such-program"]) as command:
        assert command.wait(20) == 127
        assert command.last_words == "cannot run 'no-such-program': No such file or directory\n"


def test_the_command_reads_the_stdin_it_was_given():
    text = b"x" * 300_000  # more than a pipe holds
    with Guarded(python("import sys; print(len(sys.stdin.read()))"), stdin=text) as command:
        assert command.wait(20) == 0
        assert command.output == "300000\n"


def test_without_stdin_it_reads_the_end_of_file_at_once():
    with Guarded(python("import sys; print(repr(sys.stdin.read()))")) as command:
        assert command.wait(20) == 0
        assert command.output == "''\n"


def test_the_command_inherits_three_descriptors_and_nothing_else():
    with Guarded(["sleep", "60"], stdin=b"plan") as command:
        eventually(lambda: procfs.process(command.pid).name == "sleep", "exec")
        assert [each.fd for each in procfs.process(command.pid).descriptors] == [0, 1, 2]


def test_command_and_guard_have_sessions_of_their_own():
    with Guarded(["sleep", "60"]) as command:
        eventually(lambda: procfs.process(command.pid).name == "sleep", "exec")
        assert os.getsid(command.pid) == command.pid
        assert os.getsid(command.guard_pid) == command.guard_pid


def test_the_guard_has_one_thread():
    """PDEATHSIG is sent when the thread that forked ends; see prctl(2)."""
    with Guarded(["sleep", "60"]) as command:
        assert len(procfs.process(command.guard_pid).threads) == 1


def test_lines_arrive_whole_and_in_order():
    lines, source = [], "import os\nfor i in range(2000): os.write(1, b'%d\\n' % i)\nos.write(1, b'end')"
    with Guarded(python(source), on_line=lines.append) as command:
        assert command.wait(20) == 0
    assert lines == [*map(str, range(2000)), "end"]


def test_a_failing_callback_does_not_stop_the_draining(capsys):
    def fail(line):
        raise ValueError(line)

    with Guarded(python("print('a'); print('x' * 1_000_000); print('b')"), on_line=fail) as command:
        assert command.wait(20) == 0
    assert command.output.endswith("x\nb\n")
    assert "ValueError: a" in capsys.readouterr().err


def test_a_command_that_prints_without_end_is_drained_and_a_bounded_tail_kept():
    source = "import os\nwhile True: os.write(1, b'y' * 65536); os.write(2, b'z' * 65536)"
    longest = []
    with Guarded(python(source), on_line=lambda line: longest.append(len(line))) as command:
        eventually(lambda: len(longest) > 50, "two MiB and more drained")
        assert (len(command.output), len(command.last_words)) == (TAIL, TAIL)
    assert max(longest) <= 2 * CHUNK
    assert command.exit_status == -signal.SIGTERM


def test_stop_asks_first_and_the_second_stop_is_harmless():
    source = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(3))\n"
    source += "print('up', flush=True)\nsignal.pause()"
    up = threading.Event()
    with Guarded(python(source), on_line=lambda line: up.set()) as command:
        assert up.wait(20)
        assert command.stop() == 3
        assert command.stop() == 3
        command.signal(signal.SIGTERM)
        command.kill()


def test_stop_from_many_threads():
    with Guarded(["sleep", "60"]) as command:
        threads = [threading.Thread(target=command.stop) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert command.exit_status == -signal.SIGTERM


def test_stop_reaches_a_stopped_command():
    with Guarded(["sleep", "60"]) as command:
        command.signal(signal.SIGSTOP)
        eventually(lambda: procfs.process(command.pid).state == "T", "state T")
        assert command.stop(timeout=60) == -signal.SIGTERM


def test_a_command_that_ignores_sigterm_is_killed_when_the_grace_is_over(monkeypatch):
    source = "import signal\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\nsignal.pause()"
    deaf = threading.Event()
    with Guarded(python(source), on_line=lambda line: deaf.set()) as command:
        assert deaf.wait(20)
        monkeypatch.setattr(command, "kill", None)  # by the guard, not by the kernel that lost patience
        assert command.stop(timeout=0.1) == -signal.SIGKILL


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_workers_and_daemons_end_with_the_command(end, orphanage):
    up = threading.Event()
    with Guarded([sys.executable, DAEMONIC], on_line=lambda line: up.set()) as command:
        assert up.wait(20)
        pids = family(command.guard_pid)
        assert len(pids) == 5  # the guard, the server, two workers, and the daemon that the guard adopted
        getattr(command, end)()
        orphanage.await_end(pids)
        assert command.swept >= 3


def test_what_a_command_leaves_behind_when_it_ends_by_itself_is_swept(orphanage):
    source = "import os, time\nfor _ in range(5):\n if os.fork() == 0: time.sleep(600)\nprint('bye')"
    with Guarded(python(source)) as command:
        assert command.wait(20) == 0
        assert command.swept == 5


def test_a_supervisor_that_replaces_its_children_is_swept(orphanage):
    source = """
import os, signal, time
signal.signal(15, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        time.sleep(0.01) or os._exit(0)
    if os.fork() == 0:
        time.sleep(600)
    print("again", flush=True)
    os.waitpid(-1, 0)
"""
    rounds = []
    with Guarded(python(source), on_line=rounds.append) as command:
        eventually(lambda: len(rounds) > 5, "five rounds")
        pids = family(command.guard_pid)
        assert command.stop(timeout=0) == -signal.SIGKILL
        orphanage.await_end(pids)


def test_adopted_orphans_are_reaped_while_the_command_runs():
    source = """
import os, signal
for _ in range(20):
    if os.fork() == 0:
        os.fork()  # the grandchild loses its parent at once: the guard adopts it
        os._exit(0)
    os.wait()
print("done", flush=True)
signal.pause()
"""
    done = threading.Event()
    with Guarded(python(source), on_line=lambda line: done.set()) as command:
        assert done.wait(20)
        eventually(lambda: procfs.children(command.guard_pid) == [command.pid], "no orphan, no zombie")


def test_nothing_is_left_when_the_kernel_is_killed(kernel, orphanage):
    it = kernel()
    assert len(it.family) == 5
    it.end()
    orphanage.await_end(it.family, it.port)


def test_nothing_is_left_when_the_kernel_ends_in_order(kernel, orphanage):
    it = kernel(ANNOUNCE + "sys.stdin.readline()")
    it.process.wait(20)
    orphanage.await_end(it.family, it.port)


def test_a_stray_copy_of_the_lifeline_does_not_keep_the_server_alive(kernel, orphanage):
    it = kernel(
        "stray = os.fork()\nif stray == 0: signal.pause()\n"
        + ANNOUNCE
        + "print(stray, flush=True)\nsignal.pause()"
    )
    stray = int(it.process.stdout.readline())
    try:
        os.kill(it.process.pid, signal.SIGKILL)
        orphanage.await_end(it.family, it.port)
        assert procfs.process(stray) is not None  # it still holds the pipe open
    finally:
        os.kill(stray, signal.SIGKILL)
        orphanage.await_end([stray])


@pytest.mark.parametrize(
    "last", ["sys.exit()", "server.stop(); server.kill(); os._exit(0)", "os._exit(len(guarded._alive))"]
)
def test_a_fork_of_the_kernel_takes_no_server_along(last, kernel):
    fork = f"child = os.fork()\nif child == 0: {last}\nassert os.wait() == (child, 0)\n"
    it = kernel(fork + ANNOUNCE + "signal.pause()")
    assert set(family(it.guard_pid)) == set(it.family)
    assert procfs.process(it.server_pid).state in "RS"
    assert it.process.poll() is None


def test_a_killed_guard_takes_the_server_and_its_workers_along(orphanage):
    source = "import os, signal\nos.fork() and os.fork()\nprint('up', flush=True)\nsignal.pause()"
    up = []
    command = Guarded(python(source), on_line=up.append)
    eventually(lambda: len(up) == 3, "three processes")
    pids = family(command.guard_pid)
    os.kill(command.guard_pid, signal.SIGKILL)
    orphanage.await_end(pids)
    assert command.wait(20) == -signal.SIGKILL


def test_a_killed_guard_takes_the_server_along_even_if_the_kernel_can_do_nothing(kernel, orphanage):
    it = kernel()
    os.kill(it.process.pid, signal.SIGSTOP)
    os.kill(it.guard_pid, signal.SIGKILL)
    orphanage.await_end([it.server_pid])
    os.kill(it.process.pid, signal.SIGCONT)
    left = [pid for pid in it.family if Path(f"/proc/{pid}").exists()]
    for pid in left:  # the daemon with a session of its own: the known limit
        os.kill(pid, signal.SIGKILL)


def test_a_guard_that_is_told_to_end_sweeps_first(orphanage):
    up = threading.Event()
    command = Guarded([sys.executable, DAEMONIC], on_line=lambda line: up.set())
    assert up.wait(20)
    pids = family(command.guard_pid)
    os.kill(command.guard_pid, signal.SIGTERM)
    orphanage.await_end(pids)
    assert command.wait(20) == -signal.SIGKILL
