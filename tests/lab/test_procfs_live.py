"""Living processes: what a thread sleeps in, who waits in the accept queue, and the X-ray of it all."""

import errno
import json
import os
import select
import signal
import socket
import struct
import sys

import pytest
from serving import eventually

from evolution.lab import procfs
from evolution.lab.guarded import Guarded
from evolution.lab.procfs import Queue, sockets
from evolution.lab.procfs.sockets import ask_kernel


def python(source):
    return [sys.executable, "-c", "import os, select, signal, socket, threading, time\n" + source]


LISTEN = "s = socket.create_server(('127.0.0.1', 0))\n"


@pytest.mark.parametrize(
    "source, call",
    [
        (LISTEN + "s.accept()", r"accept(3)"),
        (LISTEN + "c = socket.create_connection(s.getsockname())\nc.recv(1)", "recv(4)"),
        ("a, b = socket.socketpair()\nwhile True: a.send(b'x' * 9999)", "send(3)"),
        ("e = select.epoll()\ne.poll()", "epoll_wait(3)"),
        (LISTEN + "select.select([s], [], [])", "select"),
        ("select.poll().poll()", "poll"),
        ("time.sleep(600)", "sleep"),
        ("os.fork() or time.sleep(600)\nos.wait()", "wait"),
        ("threading.Lock().acquire() and threading.Event().wait()", "futex"),
        ("r, w = os.pipe()\nos.read(r, 1)", "read(3)"),
    ],
)
def test_what_a_process_sleeps_in(source, call):
    with Guarded(python(source)) as command:
        thread = eventually(
            lambda: next(
                (
                    each
                    for process in procfs.tree(command.pid)[:1]
                    for each in process.threads
                    if each.call and each.call.text == call
                ),
                None,
            ),
            call,
        )
        assert thread.state == "S"


def test_running_and_stopped():
    with Guarded(python("while True: pass")) as command:
        eventually(lambda: procfs.process(command.pid).state == "R", "running")
        assert procfs.process(command.pid).threads[0].call is None
        command.signal(signal.SIGSTOP)
        eventually(lambda: procfs.process(command.pid).state == "T", "stopped")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=3) as sock:
        yield sock


def port_of(sock):
    return sock.getsockname()[1]


def connected(listener, number):
    """Clients that are connected; the queue has counted them only when all rows say so."""
    clients = [socket.create_connection(listener.getsockname(), timeout=20) for _ in range(number)]
    eventually(lambda: procfs.listen_queue(port_of(listener)).length >= number, "all in the queue")
    return clients


def test_the_accept_queue_and_its_limit(listener):
    assert procfs.listen_queue(port_of(listener)) == Queue(0, 3)
    clients = connected(listener, 2)
    assert procfs.listen_queue(port_of(listener)) == Queue(2, 3)
    taken, _ = listener.accept()
    assert procfs.listen_queue(port_of(listener)) == Queue(1, 3)
    for sock in (*clients, taken):
        sock.close()


def test_nobody_listens():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert procfs.listen_queue(port_of(sock)) is None


def test_netlink_and_proc_net_tcp_tell_the_same(listener):
    port = port_of(listener)
    clients = connected(listener, 3)
    clients[0].sendall(b"seventeen bytes..")
    clients[1].shutdown(socket.SHUT_WR)
    taken, _ = listener.accept()
    eventually(lambda: any(row.state == "CLOSE_WAIT" for row in ask_kernel(port)), "the half-close")

    def facts(rows):
        return sorted((row.remote, row.state, row.inode, row.rx, row.queued) for row in rows)

    by_netlink, by_text = facts(ask_kernel(port)), facts(procfs.tcp(port=port))
    assert by_netlink == by_text
    assert [fact[-1] for fact in by_netlink].count(True) == 2
    for sock in (*clients, taken):
        sock.close()


def test_without_netlink_the_text_is_read_and_the_limit_unknown(listener, monkeypatch):
    monkeypatch.setattr("evolution.lab.procfs.sockets._NETLINK_SOCK_DIAG", 31)  # no such protocol
    clients = connected(listener, 1)
    assert procfs.listen_queue(port_of(listener)) == Queue(1, None)
    rows, source = procfs.server_sockets(port_of(listener))
    assert (source, [row.state for row in rows]) == ("/proc/net/tcp", ["LISTEN", "ESTABLISHED"])
    state = procfs.snapshot(os.getpid(), port_of(listener))
    assert state["listeners"][0]["limit"] is None
    clients[0].close()


def test_a_refusal_by_netlink_is_an_error():
    packet = struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -errno.EOPNOTSUPP)  # NLMSG_ERROR, netlink(7)
    with pytest.raises(OSError) as raised:
        sockets._take_answers(packet, [])
    assert raised.value.errno == errno.EOPNOTSUPP


def test_a_thousand_connections_come_in_several_packets():
    with socket.create_server(("127.0.0.1", 0), backlog=1500) as listener:
        clients = connected(listener, 1000)
        rows = ask_kernel(port_of(listener))
        expected = {client.getsockname() for client in clients}
        assert {row.remote for row in rows if row.state == "ESTABLISHED"} == expected
        for client in clients:
            client.close()


def test_an_epoll_table_of_our_own(listener):
    pipe = os.pipe()
    with select.epoll() as epoll:
        epoll.register(listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        epoll.register(pipe[1], select.EPOLLOUT | select.EPOLLET | select.EPOLLONESHOT)
        table = {each.fd: each.events for each in procfs.epoll_table(os.getpid(), epoll.fileno())}
    assert table == {listener.fileno(): ("IN", "EXCLUSIVE"), pipe[1]: ("OUT", "ONESHOT", "ET")}
    for fd in pipe:
        os.close(fd)


def test_processor_time_counts_threads_that_have_ended():
    source = """
def work():
    while time.thread_time_ns() < 30_000_000: pass
    print(time.thread_time_ns(), flush=True)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("gone", flush=True)
signal.pause()
"""
    lines = []
    with Guarded(python(source), on_line=lines.append) as command:
        eventually(lambda: len(lines) == 2, "the end of the thread")
        process = procfs.process(command.pid)
        assert len(process.threads) == 1
        assert process.cpu_ns >= int(lines[0])


def test_a_zombie_has_a_state_and_nothing_else():
    source = "pid = os.fork()\npid or os._exit(3)\nprint(pid, flush=True)\nsignal.pause()"
    lines = []
    with Guarded(python(source), on_line=lines.append) as command:
        eventually(lambda: lines, "the fork")
        zombie = eventually(
            lambda: next((each for each in procfs.tree(command.pid) if each.state == "Z"), None), "a zombie"
        )
        assert (zombie.pid, zombie.ppid) == (int(lines[0]), command.pid)
        assert (zombie.threads, zombie.descriptors) == ([], [])


# --- the X-ray ---

WORKERS = """
listener = socket.create_server(("127.0.0.1", 0), backlog=5)
if os.fork() and os.fork():
    print(listener.getsockname()[1], flush=True)
    os.wait()
epoll = select.epoll()
conn, _ = listener.accept()
epoll.register(conn, select.EPOLLIN | select.EPOLLET)
while True:
    epoll.poll()
    time.sleep(600)
"""


@pytest.fixture
def workers():
    lines = []
    with Guarded(python(WORKERS), on_line=lines.append) as command:
        yield command.pid, int(eventually(lambda: lines, "the port")[0])


def test_a_snapshot_shows_who_holds_what(workers):
    pid, port = workers
    clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
    clients[2].sendall(b"hello")

    def settled():
        state = procfs.snapshot(pid, port, model="mine", t=1.5)
        calls = [each["call"] for process in state["processes"] for each in process["threads"]]
        held = [each for each in state["connections"] if each["holders"]]
        return calls == ["wait", "epoll_wait(4)", "epoll_wait(4)"] and len(held) == 2 and state

    state = eventually(settled, "two workers with a client each")
    assert json.loads(json.dumps(state)) == state
    assert (state["t"], state["clients"]) == (1.5, [])
    assert state["server"] == {"model": "mine", "address": f"127.0.0.1:{port}", "pid": pid}

    master, *crew = state["processes"]
    assert [each["depth"] for each in state["processes"]] == [0, 1, 1]
    assert {each["ppid"] for each in crew} == {master["pid"]} == {pid}
    [listener] = state["listeners"]
    assert (listener["length"], listener["limit"]) == (1, 5)
    shared = [fd["object"] for each in state["processes"] for fd in each["fds"] if fd["kind"] == "listener"]
    assert shared == [f"listener:{listener['inode']}"] * 3

    by_port = {each["port"]: each for each in state["connections"]}
    assert set(by_port) == {client.getsockname()[1] for client in clients}
    [queued] = [each for each in state["connections"] if not each["accepted"]]
    assert queued["inode"] == 0
    for each in crew:
        [conn] = [fd for fd in each["fds"] if fd["kind"] == "client"]
        assert by_port[int(conn["object"].removeprefix("conn:"))]["holders"] == [[each["pid"], conn["fd"]]]
        [table] = [epoll for epoll in state["epolls"] if epoll["pid"] == each["pid"]]
        assert table["entries"] == [{"fd": conn["fd"], "events": ["IN", "ET"], "raw": "80000019"}]
    if by_port[clients[2].getsockname()[1]] is queued:
        assert queued["unread"] == 5
    for client in clients:
        client.close()


def test_memory_in_a_snapshot_on_demand(workers):
    assert {each["pss_kib"] for each in procfs.snapshot(*workers)["processes"]} == {None}
    assert all(each["pss_kib"] > 0 for each in procfs.snapshot(*workers, pss=True)["processes"])


def test_a_snapshot_of_nothing():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        state = procfs.snapshot(2**22 + 1, port_of(sock))
    assert (state["processes"], state["listeners"], state["connections"], state["epolls"]) == ([], [], [], [])


def test_a_snapshot_never_fails_while_processes_come_and_go():
    source = """
print("up", flush=True)
while True:
    for _ in range(8):
        if os.fork() == 0:
            threading.Thread(target=os.getpid).start()
            fds = [os.pipe() for _ in range(20)]
            os._exit(0)
    for _ in range(8):
        os.wait()
"""
    lines = []
    with Guarded(python(source), on_line=lines.append) as command:
        eventually(lambda: lines, "the start")
        seen = [len(procfs.snapshot(command.pid, 1, pss=True)["processes"]) for _ in range(300)]
        assert all(seen)
        assert max(seen) > 1
