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
HEARING, SAYING = 131_072, 16_384
"""Bytes: with the usual megabytes the kernel would hide the problem from most tests."""

SEGMENT = 1400
"""Bytes of a packet, as in a real network. On 127.0.0.1 one holds 64 KiB, and whatever fits goes out as a whole."""

listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HEARING)  # accepted sockets inherit these (socket(7))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SAYING)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
print("listening %s:%s" % listener.getsockname(), flush=True)
answer.serve(listener)
sys.exit("serve returned, though it should go on for ever")
