"""/proc parsed from text and from fixture trees, where every case can be had."""

import random
import shutil
from pathlib import Path

import pytest

from evolution.lab import procfs
from evolution.lab.procfs import Interest, TcpRow

FIXTURE = str(Path(__file__).with_name("proc"))
TABLE = Path(FIXTURE, "net/tcp").read_text()


def test_a_name_may_hold_brackets_spaces_and_a_state_letter():
    assert procfs.parse_stat("7 (a) R 1 (b) S 5 7 7 0 -1 4") == ("a) R 1 (b", "S", 5)


@pytest.mark.parametrize(
    "machine, line, expected",
    [
        ("x86_64", "288 0x3 0x7ffd 0x0 0x80000 0x0 0x0 0x7ff 0x7f1", ("accept4", 3, "accept(3)")),
        ("x86_64", "45 0x5 0x55 0x10000 0x0 0x0 0x0 0x7ff 0x7f1", ("recvfrom", 5, "recv(5)")),
        ("x86_64", "44 0x5 0x55 0x10000 0x0 0x0 0x0 0x7ff 0x7f1", ("sendto", 5, "send(5)")),
        ("x86_64", "232 0x4 0x7f 0x3ff 0xffffffff 0x0 0x0 0x7ff 0x7f1", ("epoll_wait", 4, "epoll_wait(4)")),
        ("x86_64", "270 0x6 0x7f 0x0 0x0 0x0 0x0 0x7ff 0x7f1", ("pselect6", None, "select")),
        ("x86_64", "7 0x7f 0x1 0x3e8 0x0 0x0 0x0 0x7ff 0x7f1", ("poll", None, "poll")),
        ("x86_64", "230 0x1 0x1 0x7f 0x0 0x0 0x0 0x7ff 0x7f1", ("clock_nanosleep", None, "sleep")),
        ("x86_64", "202 0x7f 0x189 0x0 0x0 0x0 0xffffffff 0x7ff 0x7f1", ("futex", None, "futex")),
        ("x86_64", "0 0xffffffff00000003 0x1 0x2 0x0 0x0 0x0 0x7ff 0x7f1", ("read", 3, "read(3)")),
        ("x86_64", "999 0x3 0x0 0x0 0x0 0x0 0x0 0x7ff 0x7f1", ("syscall 999", None, "syscall 999")),
        ("aarch64", "242 0x3 0x7ffd 0x0 0x80000 0x0 0x0 0x7ff 0x7f1", ("accept4", 3, "accept(3)")),
        ("aarch64", "22 0x4 0x7f 0x3ff 0xffffffff 0x0 0x8 0x7ff 0x7f1", ("epoll_pwait", 4, "epoll_wait(4)")),
        ("aarch64", "73 0x7f 0x1 0x0 0x0 0x0 0x0 0x7ff 0x7f1", ("ppoll", None, "poll")),
        ("aarch64", "260 0xffffffff 0x0 0x0 0x0 0x0 0x0 0x7ff 0x7f1", ("wait4", None, "wait")),
        ("riscv64", "63 0x3 0x0 0x0 0x0 0x0 0x0 0x7ff 0x7f1", ("syscall 63", None, "syscall 63")),
        ("x86_64", "running", None),
        ("x86_64", "-1 0x7ffd 0x7f1", None),
        ("x86_64", "", None),
    ],
)
def test_system_calls(machine, line, expected):
    assert procfs.parse_syscall(line and line + "\n", machine) == expected


def test_status_pss_and_schedstat():
    status = "Name:\tx\nState:\tS (sleeping)\nvoluntary_ctxt_switches:\t41\nnonvoluntary_ctxt_switches:\t7\n"
    assert procfs.parse_status(status) == ("S", 41, 7)
    assert (
        procfs.parse_pss("0-1 ---p 0 00:00 0 [rollup]\nRss:  9 kB\nPss:  1234 kB\nPss_Dirty: 1 kB\n") == 1234
    )
    assert procfs.parse_schedstat("5000000 120 42\n") == 5_000_000


def test_an_interest_list_by_descriptor_with_its_flags():
    assert procfs.epoll_table(101, 4, FIXTURE) == [
        Interest(3, ("IN", "EXCLUSIVE"), "10000019"),
        Interest(5, ("IN", "ET"), "80000019"),
        Interest(6, ("IN", "OUT", "RDHUP", "ONESHOT"), "40002005"),
    ]
    assert procfs.epoll_table(101, 99, FIXTURE) == []


def test_tcp_rows():
    rows = procfs.tcp(FIXTURE)
    assert len(rows) == 7
    assert rows[0] == TcpRow(("127.0.0.1", 9080), ("0.0.0.0", 0), "LISTEN", 5000, 1, 0)
    assert rows[5] == TcpRow(("127.0.0.1", 40001), ("127.0.0.1", 9080), "ESTABLISHED", 6001, 0, 17)


def test_queued_is_inode_0_before_any_close():
    seen = [(row.state, row.inode, row.queued) for row in procfs.tcp(FIXTURE, 9080)]
    assert seen == [
        ("LISTEN", 5000, False),
        ("ESTABLISHED", 5001, False),
        ("ESTABLISHED", 0, True),
        ("CLOSE_WAIT", 0, True),  # the client has said goodbye already, and waits all the same
        ("TIME_WAIT", 0, False),
    ]


def test_rows_of_one_port_are_those_of_the_whole_table():
    chance = random.Random(1)
    head, *lines = TABLE.splitlines()
    lines = [line.replace("2378", f"{chance.randrange(4):04X}") for line in lines * 3000]
    text = "\n".join([head, *lines, ""])
    everything = procfs.parse_tcp(text)
    assert len(everything) == len({(row.local, row.remote, row.inode) for row in everything}) >= 4
    for port in range(5):
        assert procfs.parse_tcp(text, port) == [row for row in everything if row.local[1] == port]


def test_a_socket_that_the_table_tells_twice_is_one():
    once = procfs.parse_tcp(TABLE)
    assert procfs.parse_tcp(TABLE + "\n".join(TABLE.splitlines()[1:]) + "\n") == once


def test_a_table_cut_short_gives_the_whole_rows():
    assert len(procfs.parse_tcp(TABLE[:-100])) == 6


def test_a_tree_from_files():
    master, worker, zombie = procfs.tree(100, FIXTURE)
    assert (master.pid, master.ppid, master.state, master.cpu_ns) == (100, 50, "S", 21_000_000)
    assert [thread.call.text for thread in master.threads] == ["wait"]
    assert (worker.pid, worker.name, worker.ppid) == (101, "odd) R 1 (name", 100)
    assert (worker.voluntary, worker.involuntary, worker.cpu_ns) == (42, 8, 8_000_000)
    assert [(each.tid, each.state, each.call and each.call.text, each.wchan) for each in worker.threads] == [
        (101, "S", "epoll_wait(4)", "do_epoll_wait"),
        (105, "R", None, ""),
    ]
    assert (zombie.pid, zombie.state, zombie.threads, zombie.descriptors) == (102, "Z", [], [])


def test_descriptors_from_files():
    _, worker, _ = procfs.tree(100, FIXTURE)
    assert [(each.fd, each.kind, each.text) for each in worker.descriptors] == [
        (0, "file", "/dev/null"),
        (1, "pipe", "pipe"),
        (3, "listener", "listens on 127.0.0.1:9080"),
        (4, "epoll", "epoll"),
        (5, "client", "connection from 127.0.0.1:40001"),
        (6, "other", "eventfd"),
        (7, "socket", "socket"),
    ]
    assert worker.descriptors[2].address == ("127.0.0.1", 9080)
    assert worker.descriptors[4].peer == ("127.0.0.1", 40001)


def test_a_kernel_that_keeps_no_list_of_children(tmp_path):
    root = shutil.copytree(FIXTURE, tmp_path / "proc", symlinks=True)
    for path in root.glob("*/task/*/children"):
        path.unlink()
    assert [each.pid for each in procfs.tree(100, str(root))] == [100, 101, 102]


def test_memory_is_read_on_demand():
    assert [each.pss_kib for each in procfs.tree(100, FIXTURE)] == [None, None, None]
    assert [each.pss_kib for each in procfs.tree(100, FIXTURE, pss=True)] == [None, 1234, None]


def test_what_is_gone_is_left_out():
    assert procfs.tree(999, FIXTURE) == []
    assert procfs.process(999, FIXTURE) is None
    assert procfs.children(999, FIXTURE) == []
