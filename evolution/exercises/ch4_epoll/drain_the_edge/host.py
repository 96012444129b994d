"""The program around serve: a listening socket, and on_data, which counts and answers.

It answers each line with the line in capitals. Whoever says "order?" is told in which order data came: for each
turn the client's port, the bytes, and the pieces in which they came.
"""

import faulthandler
import signal
import socket
import sys

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener, on_data)")
order, halves = [], {}


def on_data(conn, data):
    """Called with every piece that was received, as it came."""
    port = conn.getpeername()[1]
    if order and order[-1][0] == port:
        order[-1][1] += len(data)
        order[-1][2] += 1
    else:
        order.append([port, len(data), 1])
    lines = (halves.pop(port, b"") + data).split(b"\n")
    if lines[-1]:
        halves[port] = lines[-1]
    reply = b""
    for line in lines[:-1]:
        if line == b"order?":
            reply += " ".join(":".join(map(str, turn)) for turn in order[-3000:]).encode() + b"\n"
        elif line[:1] != b"#":  # a line that wants no answer
            reply += line.upper() + b"\n"
    if reply:
        conn.sendall(reply)


listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
print("listening %s:%s" % listener.getsockname(), flush=True)
answer.serve(listener, on_data)
sys.exit("serve returned, though it should go on for ever")
