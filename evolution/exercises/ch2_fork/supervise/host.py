"""The world around supervise: its process is a child of this one, which sees how it ends and whom it leaves.

    this process ── supervise, the master ── workers

A worker takes one client at a time. While the file `broken` exists, workers die as soon as they start.
"""

import ctypes
import faulthandler
import os
import signal
import socket
import sys
import time

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "supervise", None)):
    sys.exit("expected the answer to define the function supervise(start, size)")
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
SIGNALS = {signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM, signal.SIGINT}


def start():
    """Fork a worker; return its pid."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    try:
        work()
    finally:
        os._exit(1)


def work():
    os.write(1, b"\nstarted %d\n" % os.getpid())
    if os.path.exists("broken"):
        os._exit(1)
    busy, stopping = [], []

    def stop(*_):
        stopping.append(True)
        if not busy:
            os._exit(0)

    for number in (signal.SIGCHLD, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    while not stopping:
        conn, _ = listener.accept()
        busy.append(conn)
        conn.sendall(b"process %d\n" % os.getpid())
        conn.recv(100)
        time.sleep(0.4)
        conn.sendall(b"done\n")
        conn.close()
        busy.clear()
    os._exit(0)


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


master = os.fork()
if master == 0:
    os.setpgid(0, 0)  # a signal to its group is not meant for us
    answer.supervise(start, int(sys.argv[1]))
    os.write(1, b"\nsupervise returned\n")
    sys.exit(0)
listener.close()
print("listening %s:%s" % address, flush=True)
_, status = os.waitpid(master, 0)
left = " ".join(str(pid) for pid in children() if state(pid) not in "ZX")  # whom it has left alive, at this moment
print(f"\nleft behind {left}\nmaster ended {os.waitstatus_to_exitcode(status)}", flush=True)
while True:
    try:
        os.wait()  # adopts whom the master leaves
    except ChildProcessError:
        time.sleep(0.01)
