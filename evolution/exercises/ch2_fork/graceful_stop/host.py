"""The world around serve: its process is a child of this one, which sees how it ends and whom it leaves.

this process ── serve, the master ── workers
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

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener, reply)")
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()


def reply(data):
    """The answer to a request; the work for b"slow" takes 0.6 s."""
    if data.startswith(b"slow"):
        end = time.monotonic() + 0.6
        while time.monotonic() < end:
            time.sleep(max(0, end - time.monotonic()))
    return b"%s, from process %d\n" % (data.strip(), os.getpid())


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
    answer.serve(listener, reply)
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
