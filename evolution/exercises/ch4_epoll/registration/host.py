"""The loop around Registry: an echo server whose connections are registered, paused, dropped and copied.

With the argument "two" it forks: two processes, each with a Registry of its own, on one listener. A line is a
command: "pause" (this client is not read for now), "drop PORT" (another client goes), "copy" (a child process is
forked that holds copies of all descriptors for a while), anything else is echoed. The first client is the witness:
it hears what went wrong.
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

if not callable(getattr(answer, "Registry", None)):
    sys.exit("expected the answer to define the class Registry")
missing = [name for name in ("add", "pause", "drop", "ready") if not hasattr(answer.Registry, name)]
if missing:
    sys.exit(f"expected the class Registry to have the method {missing[0]}")
listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
two = sys.argv[1:] == ["two"]
print("listening %s:%s" % listener.getsockname(), flush=True)
if two:
    os.fork()
clients, paused, witness = {}, set(), None


def tell(words):
    try:
        witness.sendall(words.encode("ascii", "backslashreplace") + b"\n")
    except (OSError, AttributeError):
        pass


def drop(conn, port):
    try:
        registry.drop(conn)
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        tell(f"drop raised {type(error).__name__}: {error}")
        return
    clients.pop(port, None)
    tell(f"dropped {port}")


def serve(conn):
    """One connection that Registry.ready() has named."""
    port = next((port for port, each in clients.items() if each is conn), None)
    if port is None:
        return  # it has been dropped since the look: that is nobody's mistake
    try:
        data = conn.recv(4096)
        if data and port in paused:  # what was sent before a reset comes before it
            data = conn.recv(4096)
    except BlockingIOError:
        tell(f"paused {port} was read" if port in paused else f"in vain {port}: ready() has named it, and nothing was there")
        return
    except OSError:
        data = b""
    if not data:
        drop(conn, port)
        return
    words = data.split()
    if words[:1] == [b"pause"]:
        paused.add(port)
        registry.pause(conn)
        conn.send(b"paused\n")
    elif words[:1] == [b"drop"]:
        drop(clients[int(words[1])], int(words[1]))
    elif words[:1] == [b"copy"]:
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        conn.send(b"copied\n")
    else:
        conn.send(data)


registry = answer.Registry()
registry.add(listener)
while True:
    for conn in registry.ready():
        if conn is listener:
            try:
                conn, peer = listener.accept()
            except BlockingIOError:
                continue
            conn.setblocking(False)
            clients[peer[1]] = conn
            witness = witness or conn
            registry.add(conn)
        else:
            serve(conn)
        conn = None  # no reference is kept here
