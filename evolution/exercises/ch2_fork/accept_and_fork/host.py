"""The program around serve: a listening socket, an echo, and a journal that is still in its buffer."""

import atexit
import faulthandler
import os
import signal
import socket
import sys

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

if not callable(getattr(answer, "serve", None)):
    sys.exit("expected the answer to define the function serve(listener, talk)")
journal = open("journal.txt", "w")
journal.write("the server has started\n")  # in the buffer: written when the program ends, once
atexit.register(journal.close)
listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)


def talk(conn):
    """Say who we are, then echo until the client leaves. Raises OSError when the client resets."""
    if conn.fileno() < 0:
        os.write(1, b"\ntalk was given a closed connection\n")
    conn.sendall(b"process %d\n" % os.getpid())
    while data := conn.recv(1000):
        conn.sendall(data)


answer.serve(listener, talk)
sys.exit("serve returned, though it should go on for ever")
