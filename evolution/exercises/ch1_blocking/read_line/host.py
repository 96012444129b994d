"""The program around read_line: one client after the other, each told what read_line returned.

With the argument "pair" it takes two clients and reads from them in turn; and it counts how often `recv` and its
like are called for the first four lines.
"""

import faulthandler
import signal
import socket
import sys
import traceback

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1, all_threads=False)  # "where are you?": the checker may ask


def tell(conn, words):
    try:
        conn.sendall(words.encode("ascii", "backslashreplace") + b"\n")
    except OSError:
        pass  # the client has gone


def turn(conn):
    """Read one line and say what came; return False when it was the last."""
    try:
        line = answer.read_line(conn)
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        tell(conn, f"raised {type(error).__name__}: {error}")
        return False
    tell(conn, f"returned {line!r}")
    return line is not None


calls = 0
RECEIVING = {"recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into", "read"}


def count(frame, event, called):
    """For sys.setprofile: count calls into C that receive, one system call each."""
    global calls
    calls += event == "c_call" and called.__name__ in RECEIVING and called.__module__ in (None, "posix")


def say_goodbye(conn):
    """Close without destroying the last answer: swallow what the client still sends (RFC 9112, 9.6)."""
    try:
        conn.shutdown(socket.SHUT_WR)
        while conn.recv(65536):
            pass
    except OSError:
        pass
    conn.close()


import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "read_line", None)):
    sys.exit("expected the answer to define the function read_line(conn)")
listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)
if sys.argv[1:] == ["pair"]:
    both = [listener.accept()[0] for _ in range(2)]
    sys.setprofile(count)
    for _ in range(2):
        more = all([turn(conn) for conn in both])
    sys.setprofile(None)
    print(f"calls {calls}", flush=True)
    while more:
        more = all([turn(conn) for conn in both])
else:
    while True:
        conn, _ = listener.accept()
        turns = 0
        while turn(conn) and turns < 1000:
            turns += 1
        say_goodbye(conn)
