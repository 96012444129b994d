"""The program around is_concurrent: it is told the port of a server, and says what the test says of it."""

import faulthandler
import signal
import socket
import sys
import threading
import traceback

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1, all_threads=True)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "is_concurrent", None)):
    sys.exit("expected the answer to define the function is_concurrent(address)")


def judge(conn):
    port = int(conn.recv(100))
    try:
        words = f"returned {answer.is_concurrent(('127.0.0.1', port))!r}"
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        words = f"raised {type(error).__name__}: {error}"
    conn.sendall(words.encode("ascii", "backslashreplace").replace(b"\n", b" ") + b"\n")
    conn.close()


listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)
while True:
    threading.Thread(target=judge, args=(listener.accept()[0],), daemon=True).start()
