"""Real servers in real processes for the tests, and the few client moves that many tests need."""

import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from evolution.lab.guard import PR_SET_CHILD_SUBREAPER, prctl

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for a fact; only ever reached when something is wrong."""

CHATTER = Path(__file__).with_name("chatter.py")


class Served:
    """A server of the course as a child process, in a session of its own."""

    def __init__(self, process, port):
        self.process = process
        self.pid = process.pid
        self.port = port
        self.address = ("127.0.0.1", port)

    def workers(self):
        """Pids of the processes that the server has made and that still live."""
        with suppress(psutil.NoSuchProcess):
            return [p.pid for p in psutil.Process(self.pid).children() if p.status() != psutil.STATUS_ZOMBIE]
        return []

    def everyone(self):
        return [self.pid, *self.workers()]

    def stop(self, *signals):
        """Send SIGTERM (or `signals`) and return the exit status."""
        for number in signals or (signal.SIGTERM,):
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def errors(self):
        """Lines on stderr; only after the server has ended."""
        return self.process.stderr.read().splitlines()

    def output(self):
        """Lines on stdout after the ready line; only after the server has ended."""
        return self.process.stdout.read().splitlines()


def command(model, *args, script=None):
    start = [script] if script else ["-m", "evolution", "serve"]
    return [sys.executable, *map(str, start), model, "tcp://127.0.0.1:0", *args]


@contextmanager
def serve(model, *args, script=None, before=None):
    """Run a server; at the end nothing of it is left. `before` runs in the child before exec."""
    with adopting():
        yield from _served(model, args, script, before)


@contextmanager
def adopting():
    """Orphans come to us meanwhile, whoever else would have adopted them; bury them, see `bury`."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)


def _served(model, args, script, before):
    process = subprocess.Popen(
        command(model, *args, script=script),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=before,
    )
    served = None
    try:
        ready = process.stdout.readline()
        assert ready.startswith("listening 127.0.0.1:"), (ready, process.stderr.read())
        served = Served(process, int(ready.rpartition(":")[2]))
        yield served
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the session is ours alone, so its group is too
        process.wait(PATIENCE)
        bury(-process.pid)
        process.stdout.close()
        process.stderr.close()


def bury(whom):
    """Reap orphans that have come to us and end: one pid, or a whole group, given as -group (waitpid(2)).

    On Binder PID 1 never reaps, and each zombie counts against the user's limit of processes, so a test run
    would starve itself.
    """
    with suppress(ChildProcessError):  # none left
        while True:
            os.waitpid(whom, 0)


def eventually(fact, what):
    """Wait until `fact()` is true, looking again and again; fail with `what` if it never is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := fact()):
        assert time.monotonic() < deadline, f"never seen: {what}"
        select.select([], [], [], 0.005)
    return found


def connect(served, receive_buffer=None):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(PATIENCE)
    sock.connect(served.address)
    return sock


def request(path="/", method="GET", body=b"", headers=""):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: test\r\n{headers}{length}\r\n".encode() + body


class Replies:
    """Reads complete HTTP answers from a socket."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def next(self):
        """Return (status, headers, body) of the next answer, or None at the end of the stream."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                assert not self.buffer, f"the stream ended inside an answer: {self.buffer[:200]!r}"
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            assert self._more(), f"the stream ended after {len(self.buffer)} of {length} bytes of a body"
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(status.split()[1]), headers, body

    def _more(self):
        data = self.sock.recv(262144)
        self.buffer += data
        return data


def ask(served, path="/", **more):
    """One request on a connection of its own: (status, headers, body)."""
    with connect(served) as sock:
        sock.sendall(request(path, **more))
        return Replies(sock).next()


def reset(sock):
    """End a connection with a reset: closing with SO_LINGER 0 (socket(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def ended(sock):
    """True once the other side has ended the connection, in order or by a reset."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return True


def readable(sock, seconds):
    """True when something (bytes or the end) arrives within `seconds`."""
    poll = select.poll()  # select itself cannot watch descriptor 1024
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def descriptors(pids):
    """Open descriptors of all `pids` together."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def cpu_seconds(pids):
    """CPU time the processes have used so far, from /proc/PID/schedstat (nanoseconds)."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def memory_kib(pids):
    """Memory of the processes together, in KiB, shared pages divided among their sharers (Pss)."""
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids) // 1024
