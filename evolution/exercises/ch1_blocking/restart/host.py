"""The program around open_listener: one client, which the server closes first; then it starts itself again.

In its second life it serves another client, and then asks open_listener for the same port a second time.
"""

import faulthandler
import os
import signal
import socket
import sys
import time
import traceback

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "open_listener", None)):
    sys.exit("expected the answer to define the function open_listener(port)")
port, again = int(sys.argv[1]), sys.argv[2:] == ["again"]
listener = answer.open_listener(port)
if not isinstance(listener, socket.socket):
    sys.exit(f"expected open_listener to return a socket, not {listener!r}")
if again:
    time.sleep(0.001)
print("listening %s:%s" % listener.getsockname()[:2], flush=True)
conn, _ = listener.accept()
conn.recv(100)
options = [listener.getsockopt(socket.SOL_SOCKET, each) for each in (socket.SO_REUSEADDR, socket.SO_REUSEPORT)]
conn.sendall("SO_REUSEADDR {} SO_REUSEPORT {}\n".format(*options).encode())
conn.shutdown(socket.SHUT_WR)  # the server closes first
while conn.recv(100):
    pass
conn.close()
if not again:
    os.execv(sys.orig_argv[0], [*sys.orig_argv, "again"])  # restart: the listening socket is closed by it
conn, _ = listener.accept()
try:
    other = answer.open_listener(port)
    conn.sendall(b"a second listener on port %d\n" % other.getsockname()[1])
except OSError as error:
    conn.sendall(b"refused: %s\n" % error.strerror.encode())
except Exception:
    traceback.print_exc()
    conn.sendall(b"raised\n")
time.sleep(60)
