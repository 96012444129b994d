"""The program around serve: children that end when their client says how, and a record of what was reaped."""

import faulthandler
import os
import signal
import socket
import sys

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener, start, record)")
listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)


def start(conn):
    """Fork a child that talks to the client and ends as the client says: b"exit 3" or b"signal 9"."""
    pid = os.fork()
    if pid:
        return pid
    try:
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        conn.sendall(b"process %d\n" % os.getpid())
        word, _, number = conn.recv(100).partition(b" ")
        if word == b"signal":
            os.kill(os.getpid(), int(number))
        elif word == b"exit":
            os._exit(int(number))
    finally:
        os._exit(99)


def record(pid, code):
    """`code` is the exit status, or minus the signal that ended the child."""
    os.write(1, b"\nrecord %d %d\n" % (pid, code))


answer.serve(listener, start, record)
sys.exit("serve returned, though it should go on for ever")
