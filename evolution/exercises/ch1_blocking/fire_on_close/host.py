"""The program around serve: an echo that also closes when it reads "quit". The first client is the witness,

who is told about every call of on_close and about every return of serve.
"""

import faulthandler
import signal
import socket
import sys
import traceback

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(conn, on_message, on_close)")
listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)
witness, _ = listener.accept()


def tell(words):
    witness.sendall(words.encode("ascii", "backslashreplace").replace(b"\n", b" ") + b"\n")


def on_message(conn, data):
    if b"quit" in data:
        conn.close()
    else:
        conn.sendall(data)


def on_close(conn):
    tell("on_close called")


while True:
    conn, _ = listener.accept()
    try:
        answer.serve(conn, on_message, on_close)
        tell(f"serve returned, socket {'open' if conn.fileno() >= 0 else 'closed'}")
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        tell(f"serve raised {type(error).__name__}: {error}")
    conn.close()
