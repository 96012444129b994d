"""The world below PID 1: a service that makes orphans when it is told to, and ends when it is told how.

A container's first process adopts every orphan in it. Here a child subreaper does, which is the same for init.
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

if not callable(getattr(answer, "init", None)):
    sys.exit("expected the answer to define the function init(start)")
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
listener = socket.create_server(("127.0.0.1", 0))
INIT = os.getpid()


def start():
    """Fork the service; return its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve()
    finally:
        os._exit(99)


def serve():
    conn, _ = listener.accept()
    conn.sendall(b"process %d\n" % os.getpid())
    with conn.makefile("r") as orders:
        for word, number in map(str.split, orders):
            if word == "orphan":
                conn.sendall(b"orphan %d\n" % orphan(float(number)))
            elif word == "signal":
                os.kill(os.getpid(), int(number))
            elif word == "exit":
                os._exit(int(number))


def orphan(seconds):
    """Fork a child that forks and ends; return the pid of the grandchild, which then lives for `seconds`."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            while os.getppid() != INIT:
                time.sleep(0.001)
            os.write(writer, b"%d" % os.getpid())
            time.sleep(seconds)
        os._exit(5)
    os.waitpid(middle, 0)
    os.close(writer)
    pid = int(os.read(reader, 100))
    os.close(reader)
    return pid


print("listening %s:%s" % listener.getsockname(), flush=True)
try:
    code = answer.init(start)
except SystemExit as error:
    code = error.code
print(f"\ninit returned {code!r}", flush=True)
while True:
    time.sleep(60)
