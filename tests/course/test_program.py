"""%%program: a cell that forks runs beside the notebook, is seen from inside, and leaves nothing behind."""

import os
import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from evolution.course import program, sandbox


def ran(source, seconds=5.0):
    """Return (what was printed, the Report)."""
    parts = []
    report = program.run(source, seconds, parts.append)
    return "".join(parts), report


def test_the_cell_is_another_process_and_its_output_comes_into_the_notebook(shell, capsys):
    shell.run_cell_magic("program", "", "import os\nprint('pid', os.getpid())\nsecret = 1\n")
    said = capsys.readouterr().out
    assert re.fullmatch(r"pid \d+\n", said) and int(said.split()[1]) != os.getpid()
    assert "secret" not in shell.user_ns


@pytest.mark.parametrize("line", ["now", "0", "-1", "21", "5 5", "nan"])
def test_a_wrong_limit_is_one_line(line, shell, capsys):
    shell.run_cell_magic("program", line, "print('ran')\n")
    said = capsys.readouterr().out
    assert said.startswith("expected %%program") and said.count("\n") == 1


def test_output_comes_while_the_program_runs():
    """The second word is only printed once the first has been seen outside."""
    seen = []

    def tell(text):
        seen.append(text)
        if "first" in text:
            with socket.create_connection(("127.0.0.1", int(text.split()[1]))):
                pass

    said = "print('first', s.getsockname()[1])\ns.accept()\nprint('second')\n"
    program.run(f"import socket\ns = socket.create_server(('127.0.0.1', 0))\n{said}", 5.0, tell)
    assert seen[-1] == "second\n"


def test_a_mistake_is_shown_with_the_cells_own_line():
    said, report = ran("x = 1\nprint(x / 0)\n")
    assert 'File "cell.py", line 3' in said and "ZeroDivisionError" in said
    assert said.endswith("[Exit status 1.]\n") and report.status == 1


def test_whole_lines_from_several_processes():
    said, _ = ran(
        "import os\nfor _ in range(3):\n    os.fork()\nfor n in range(50):\n    print('a', n, 'z')\n"
    )
    lines = [line for line in said.splitlines() if not line.startswith("[")]
    assert all(re.fullmatch(r"a \d+ z", line) for line in lines)


def test_what_is_left_is_ended_and_said():
    source = (
        "import os, time\nfor _ in range(2):\n    if not (pid := os.fork()):\n        time.sleep(60)\n"
        "    print(pid)\n"
    )
    said, report = ran(source)
    assert said.endswith("[2 processes were left; ended.]\n") and report.left == []
    pids = re.findall(r"^\d+$", said, re.MULTILINE)
    assert len(pids) == 2 and not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_daemon_does_not_get_away():
    source = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        time.sleep(60)\n    os._exit(0)\nos.wait()\n"
    )
    said, report = ran(source)
    assert said == "[1 process was left; ended.]\n" and report.left == []


def test_a_fork_bomb_is_stopped():
    said, report = ran(
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
    )
    assert "[Stopped: " in said and report.why == "tasks" and report.tasks <= program.TASKS
    assert report.left == []


def test_time_is_bounded():
    said, report = ran("import time\ntime.sleep(60)\n", seconds=0.3)
    assert said == "[Stopped after 0.3 s.]\n" and report.why == "time"


def test_a_signal_is_named():
    said, _ = ran(
        "import os, signal\nprint('here', end='', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert said == "here\n[It was killed by SIGKILL.]\n"


def test_endless_output_is_cut_and_said():
    said, report = ran("while True:\n    print('x' * 1000)\n")
    assert report.why == "output" and "[It printed " in said and len(said) < 40_000


def test_an_interrupt_ends_everything(shell, capsys, monkeypatch):
    pids = []

    def interrupted(run, told, tell):
        if found := re.search(r"\d+\n", run.output):
            pids.append(found[0].strip())
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(program, "_pass_on", interrupted)
    shell.run_cell_magic("program", "", "import os, time\nprint(os.getpid())\ntime.sleep(60)\n")
    assert "Interrupted" in capsys.readouterr().out
    assert pids and not Path(f"/proc/{pids[0]}").exists()


def test_a_machine_that_cannot_start_it_says_so(shell, capsys, monkeypatch):
    def refuse(*_):
        raise sandbox.SandboxError("no room")

    monkeypatch.setattr(program, "Sandbox", refuse)
    shell.run_cell_magic("program", "", "print(1)\n")
    assert capsys.readouterr().out == "The program could not be started: no room\n"


# --- look ---


def test_look_shows_a_zombie_and_what_it_holds():
    said, _ = ran(
        "import os, look\npid = os.fork()\nif pid == 0:\n    os._exit(3)\nlook.until(pid, 'Z')\nlook.tree()\n"
        "look.held(pid)\nlook.held(os.getpid())\nprint(look.count('Z'), look.count())\nos.wait()\n"
        "print(look.state(pid))\n"
    )
    top, zombie, held, own, counts, state = said.splitlines()
    assert re.fullmatch(r"process \d+  R  running", top)
    assert re.fullmatch(r"    process \d+  Z  zombie: .*", zombie)
    assert re.fullmatch(r"process \d+  Z  0 KiB of memory, 0 descriptors", held)
    assert re.fullmatch(r"process \d+  R  [\d,]+ KiB of memory, [34] descriptors", own)
    assert (counts, state) == ("1 2", "gone")


def test_look_shows_an_orphan_and_who_adopted_it():
    orphan = (
        "pid = os.fork()\nif pid == 0:\n    if os.fork() == 0:\n        time.sleep(60)\n    os._exit(0)\n"
        "os.waitpid(pid, 0)\nlook.tree()\n"
    )
    said, _ = ran(f"import os, time, look\n{orphan}")
    assert re.search(r"^process \d+  S  asleep in sleep, adopted by process \d+$", said, re.MULTILINE)
    said, _ = ran(f"import os, time, look\nlook.adopt()\n{orphan}")
    assert re.search(r"^    process \d+  S  asleep in sleep$", said, re.MULTILINE)


def test_look_shows_descriptors_and_memory():
    said, _ = ran(
        "import look, socket\ns = socket.create_server(('127.0.0.1', 0))\n"
        "c = socket.create_connection(s.getsockname())\nlook.fds()\nlook.memory()\n"
        "before = look.faults()\nx = look.block(4)\nprint(look.faults() - before >= 1024)\n"
        "print(look.switches() >= 0, look.state())\n"
    )
    assert re.search(r"  3: socket \d+, listens on port \d+\n", said)
    assert re.search(r"  4: socket \d+, port \d+ with port \d+, ESTABLISHED\n", said)
    assert re.search(r"^\d+ MiB: \d+ shared, \d+ its own", said, re.MULTILINE)
    assert said.endswith("True\nTrue R\n")


def test_a_written_page_is_copied_once():
    said, _ = ran(
        "import look, os\nblock = look.block(8)\nif os.fork() == 0:\n    before = look.faults()\n"
        "    block[: 4 * 2**20 : 4096] = bytes(1024)\n    print(look.faults() - before)\n    os._exit(0)\n"
        "os.wait()\n"
    )
    assert 1024 <= int(said) < 1200


def test_a_full_house_has_room_again_after_wait():
    said, _ = ran(
        "import look, os\nfor _ in range(9):\n    if os.fork() == 0: os._exit(0)\nlook.full()\n"
        "try:\n    os.fork()\nexcept BlockingIOError:\n    print('full')\n"
        "for _ in range(9): os.wait()\nif os.fork() == 0: os._exit(0)\nos.wait(), print('room')\n"
    )
    assert said == "full\nroom\n"


def test_the_same_work_in_turn_in_threads_and_in_processes():
    """Four naps in turn take four times as long; the others overlap. The order of sizes, no seconds."""
    said, report = ran("import look, time\nlook.together(lambda: time.sleep(0.1), 4)\n")
    names, seconds = zip(*re.findall(r"^(.+?)  +([\d.]+) s$", said, re.MULTILINE), strict=True)
    once, in_turn, threads, processes = map(float, seconds)
    assert names == ("once", "4 in turn", "4 threads", "4 processes")
    assert in_turn >= 0.4 and once >= 0.1 and threads < in_turn and processes < in_turn
    assert report.status == 0 and report.company == 0


def test_waiting_for_a_state_is_bounded():
    said, _ = ran("import look, os\nlook.until(os.getpid(), 'Z', 0.05)\n")
    assert "TimeoutError: expected process" in said


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    with suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG)[0] == 0
