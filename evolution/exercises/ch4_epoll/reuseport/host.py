"""The program around open_listeners and retire: three queues on one port, of which the middle one is retired.

Every call of setsockopt, bind and listen is noted. The first client is the witness: it is told what was called; at
"stop" the host serves no one, at "retire N" it retires the N-th listener, and then it serves the others.
"""

import faulthandler
import os
import select
import signal
import socket
import sys
import traceback

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

NAMES = {socket.SO_REUSEPORT: "SO_REUSEPORT", socket.SO_REUSEADDR: "SO_REUSEADDR"}
notes, original = [], socket.socket


class Noted(original):
    """A socket that notes the order of its calls."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.notes = []
        notes.append(self.notes)

    def setsockopt(self, level, name, *value):
        super().setsockopt(level, name, *value)
        if level == socket.SOL_SOCKET and name in NAMES and value[:1] != (0,):
            self.notes.append(NAMES[name])

    def bind(self, address):
        self.notes.append("bind")
        super().bind(address)

    def listen(self, *backlog):
        self.notes.append("listen")
        super().listen(*backlog)


socket.socket = Noted

import answer  # noqa: E402 — the learner's file

for name in ("open_listeners", "retire"):
    if not callable(getattr(answer, name, None)):
        sys.exit(f"expected the answer to define the function {name}")
try:
    with original() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listeners = answer.open_listeners(port, 3)
except BaseException:
    for number, calls in enumerate(filter(None, notes), 1):
        print(f"socket {number}: {', '.join(calls)}", flush=True)
    raise
socket.socket = original
if not isinstance(listeners, list | tuple) or len(listeners) != 3:
    sys.exit(f"expected open_listeners(port, 3) to return a list of three sockets, not {listeners!r}")
for number, calls in enumerate(filter(None, notes), 1):
    print(f"socket {number}: {', '.join(calls)}", flush=True)
print("inodes", *(os.fstat(each.fileno()).st_ino for each in listeners), flush=True)
print(f"listening 127.0.0.1:{port}", flush=True)


def serve(conn):
    """Serve one connection that was accepted."""
    global served
    served += 1
    try:
        conn.setblocking(True)
        conn.sendall(b"served\n")
        conn.close()
    except OSError:
        traceback.print_exc()


def first_client():
    ready, _, _ = select.select(listeners, [], [])
    conn, _ = ready[0].accept()
    conn.setblocking(True)
    return conn


served = 0
witness = first_client()
for line in witness.makefile("rb"):
    word, _, number = line.partition(b" ")
    if word == b"retire":
        try:
            answer.retire(listeners[int(number)], serve)
            words = b"retired %d\n" % served  # clients so far: those of this queue
        except Exception as error:
            traceback.print_exc()
            words = f"retire raised {type(error).__name__}: {error}\n".encode()
        rest = [each for each in listeners if each is not listeners[int(number)]]
        for each in rest:
            each.setblocking(False)
            while True:
                try:
                    serve(each.accept()[0])
                except BlockingIOError:
                    break
        witness.sendall(words)
