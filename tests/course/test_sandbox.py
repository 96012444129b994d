"""The sandbox holds: each hostile program ends truthfully, leaves nothing, and harms nobody."""

import os
import socket
import sys
from pathlib import Path

import hostile
import pytest
from serving import adopting, bury

from evolution.course import sandbox
from evolution.course.sandbox import Limits, Sandbox
from evolution.course.scratch import without

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is complete on Linux only")
ROOT = os.geteuid() == 0


def run(source, seconds=5, **limits):
    with Sandbox({"a.py": source}, ["a.py"], Limits(seconds=seconds, **limits)) as learner:
        learner.wait(seconds + 5)
    return learner


def processes_of(uid):
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if int(text.partition("\nUid:")[2].split()[0]) == uid:
            found.append(status.parent.name)
    return found


@pytest.fixture(scope="module")
def bystander():
    """A process of our own that no learner may harm: the kernel and the lab stand there in real life."""
    from evolution.lab.guarded import Guarded

    with Guarded([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]) as process:
        yield process


@pytest.mark.parametrize("name", hostile.PROGRAMS)
def test_hostile_program(name, bystander):
    learner, report = hostile.run(name)
    _, ends, output = hostile.PROGRAMS[name]
    assert report.status != 99, "it ran as root"
    assert report.why in ends
    assert output is None or output in learner.output
    assert report.left == []
    assert report.tasks <= 48 + 4
    assert not learner.scratch.exists()
    if learner.defences["uid"]:
        assert processes_of(learner.defences["uid"]) == []
    assert bystander.alive
    after = run("print('next')")
    assert (after.output, after.report.why, after.report.status) == ("next\n", "exited", 0)


@pytest.mark.skipif(ROOT, reason="as root the throw-away uid does this work; run these under binder-like")
@pytest.mark.parametrize(
    "name", ["kill -1", "kills all ancestors", "kills the supervisor found by a scan", "churning forks"]
)
def test_without_landlock_the_filter_holds(name, monkeypatch):
    """The chain above the learner holds. Other programs of the same user are not promised anything here."""
    monkeypatch.setitem(sandbox.DEFENCES, "landlock", False)
    learner, _ = hostile.run(name)
    assert learner.defences["landlock"] == 0 and learner.defences["seccomp"]
    assert hostile.contained(name, learner)


needs_landlock = pytest.mark.skipif(
    sandbox.LINUX and __import__("evolution.course.confine", fromlist="x").landlock_version() == 0,
    reason="this kernel has no Landlock",
)
READ = """
import sys
for path in sys.argv[1:]:
    try: print(len(open(path, 'rb').read()) >= 0)
    except OSError as error: print(type(error).__name__)
"""


@needs_landlock
def test_solutions_and_other_answers_cannot_be_read(tmp_path):
    other = tmp_path / "answers" / "other.py"
    other.parent.mkdir()
    other.write_text("secret")
    solution = next(sandbox.PACKAGE.glob("exercises/*/*/solution.py"))
    paths = [str(other), str(solution), str(solution.with_name("check.py")), "/etc/shadow", os.__file__]
    with Sandbox({"a.py": READ}, ["a.py", *paths], protect=[other.parent]) as learner:
        learner.wait(5)
    assert learner.output.split() == ["PermissionError"] * 4 + ["True"]


@needs_landlock
def test_nothing_can_be_written_outside_the_scratch_folder(tmp_path):
    tmp_path.chmod(0o777)
    target = tmp_path / "x"
    learner = run(f"""
for path in ('inside', {str(target)!r}, '/tmp/outside', '/dev/shm/outside'):
    try: open(path, 'w').write('x'); print('written')
    except OSError as error: print(type(error).__name__)
""")
    assert learner.output.split() == ["written", "PermissionError", "PermissionError", "PermissionError"]
    assert not target.exists()


def test_without_leaves_out_the_protected_and_keeps_its_neighbours(tmp_path):
    for name in ("a/b/secret", "a/b/open", "a/c", "d"):
        (tmp_path / name).mkdir(parents=True)
    found = set(without([tmp_path], [tmp_path / "a/b/secret"]))
    assert found == {str(tmp_path / name) for name in ("a/b/open", "a/c", "d")}
    assert list(without([tmp_path / "a/b/secret"], [tmp_path / "a"])) == []


def test_stdin_is_empty_and_the_environment_clean(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    learner = run(
        "import os, sys; print(repr(sys.stdin.read()), sorted(os.environ), os.getcwd() == os.environ['HOME'])"
    )
    assert learner.output == "'' ['HOME', 'LANG', 'MALLOC_ARENA_MAX', 'PATH', 'TMPDIR'] True\n"


def test_no_descriptor_of_ours_is_inherited():
    learner = run("import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])")
    assert learner.output == "[0, 1, 2]\n"


def test_a_link_out_of_the_scratch_folder_is_not_followed(tmp_path):
    (tmp_path / "kept").write_text("kept")
    tmp_path.chmod(0o755)
    learner = run(f"""
import os
os.mkdir('d'); os.chmod('d', 0o700)
for name in ('d/link', 'link'): os.symlink({str(tmp_path)!r}, name)
os.chmod('d', 0)
""")
    assert not learner.scratch.exists()
    assert (tmp_path / "kept").read_text() == "kept"
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_folder_above_the_scratch_folder_keeps_its_mode():
    before = run("").scratch.parent.stat().st_mode
    learner = run("import os; os.mkdir('a'); os.chmod('a', 0); os.chmod('.', 0)")
    assert not learner.scratch.exists()
    assert learner.scratch.parent.stat().st_mode == before


def test_the_port_is_free_afterwards():
    learner = run("""
import os, socket, time
s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)
if os.fork(): os._exit(0)
time.sleep(60)
""")
    assert learner.report.company == 1
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(learner.output))) != 0


def test_output_is_kept_up_to_a_limit_and_counted_beyond():
    learner = run("print('x' * 200_000, end='')")
    assert learner.report.output == 200_000
    assert 30_000 < len(learner.output) < 40_000


def test_stop_is_immediate_and_can_be_repeated():
    learner = Sandbox({"a.py": "import time; time.sleep(60)"}, ["a.py"])
    assert learner.stop().why == "stop"
    assert learner.stop() is learner.report
    assert learner.report.status == -15


def test_an_interrupt_inside_the_block_leaves_nothing():
    with (
        pytest.raises(KeyboardInterrupt),
        Sandbox({"a.py": "import time; time.sleep(60)"}, ["a.py"]) as learner,
    ):
        raise KeyboardInterrupt
    assert not Path(f"/proc/{learner.pid}").exists()
    assert not learner.scratch.exists()


def test_the_checker_killed_means_that_the_learner_is_gone():
    """kill -9 on the checker: the lifeline ends, and the guard clears up."""
    import select
    import signal
    import subprocess

    source = (
        "from evolution.course.sandbox import Sandbox\n"
        "s = Sandbox({'a.py': 'import time; time.sleep(60)'}, ['a.py'])\n"
        "print(s.pid, s._guard.pid, s.scratch, flush=True)\ninput()"
    )
    with adopting():
        checker = subprocess.Popen(
            [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        *pids, scratch = checker.stdout.readline().split()
        pids = [int(pid) for pid in pids]
        assert Path(scratch).exists()
        watch = os.pidfd_open(pids[1])
        checker.send_signal(signal.SIGKILL)
        checker.wait()
        assert select.select([watch], [], [], 10)[0], "the guard did not end"
        assert not Path(f"/proc/{pids[0]}").exists()
        bury(pids[1])
    os.close(watch)
    checker.stdin.close()
    checker.stdout.close()
    run("print('next')")  # it, or another check that runs beside us, clears up after a dead checker
    assert not Path(scratch).exists()


def test_the_watchdog_counts_processes_that_the_limit_still_allows():
    learner = run(
        "import os, time\nfor _ in range(13):\n    if os.fork() == 0: time.sleep(60)\ntime.sleep(60)",
        tasks=16,
    )
    assert learner.report.why == "tasks"
    assert 13 <= learner.report.tasks <= 16 and learner.report.left == []
