"""The program around serve: a listening socket whose connections have small buffers in the kernel."""

import faulthandler
import signal
import socket
import sys

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener)")
SMALL = 131072
"""Bytes: with the usual megabytes the kernel would hide the problem from most tests."""

listener = socket.create_server(("127.0.0.1", 0))
for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # accepted sockets inherit it (socket(7))
    listener.setsockopt(socket.SOL_SOCKET, option, SMALL)
print("listening %s:%s" % listener.getsockname(), flush=True)
answer.serve(listener)
sys.exit("serve returned, though it should go on for ever")
