"""Four workers behind one port, in one of six ways: python one_port.py WAY [WORKERS]

accept      all sleep in accept on one listener
poll        all sleep in poll on the one listener, and then accept
epoll       each has the one listener in an epoll list of its own
exclusive   the same, with EPOLLEXCLUSIVE
mutex       the same, and only who holds a lock looks
reuseport   each has a listener of its own on the same port (SO_REUSEPORT)

Each client gets the pid of its worker. Nobody replaces a worker that dies: one should see what that does.
"""

import fcntl
import os
import select
import socket
import sys
import tempfile
from pathlib import Path

WAYS = ("accept", "poll", "epoll", "exclusive", "mutex", "reuseport")


def worker(way, listener, address, ready, lock):
    if way == "reuseport":
        listener = socket.create_server(address, reuse_port=True)
    poller = select.poll() if way == "poll" else select.epoll()
    if way != "accept":
        listener.setblocking(False)
        poller.register(listener, select.EPOLLIN | (select.EPOLLEXCLUSIVE if way == "exclusive" else 0))
    os.write(ready, b".")
    while True:
        if way == "mutex":
            fcntl.flock(lock, fcntl.LOCK_EX)  # sleeps here: all but one
        if way != "accept":
            poller.poll()  # sleeps here
        try:
            conn, _ = listener.accept()  # or here, when it is a blocking one
        except BlockingIOError:
            continue  # woken for nothing: another worker was quicker
        finally:
            if way == "mutex":
                fcntl.flock(lock, fcntl.LOCK_UN)
        conn.setblocking(True)
        with conn:
            conn.recv(100)
            conn.sendall(f"{os.getpid()}\n".encode())


def main(way="epoll", workers="4"):
    if way not in WAYS:
        sys.exit(f"expected a way to share the port, one of {', '.join(WAYS)}; not {way!r}")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if way == "reuseport":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", 0))
    if way != "reuseport":
        listener.listen(128)  # else the master has only reserved the port: it never listens
    told, ready = os.pipe()
    name = tempfile.mkstemp()[1]
    for _ in range(int(workers)):
        if os.fork() == 0:
            lock = os.open(name, os.O_RDWR)  # opened anew: a lock belongs to what open made (flock(2))
            try:
                worker(way, listener, listener.getsockname(), ready, lock)
            finally:
                os._exit(1)
    for _ in range(int(workers)):
        os.read(told, 1)
    Path(name).unlink()
    print("listening {}:{}".format(*listener.getsockname()), flush=True)
    while True:
        os.wait()  # sleeps here


main(*sys.argv[1:])
