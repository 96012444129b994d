"""A server on top of the answer's Reactor: lines are echoed, and some words are orders.

"boom" raises in the callback; "big N" answers N bytes and asks for EPOLLOUT only while some are left over; "remove
PORT" takes another client off; "timers A B …" starts timers of so many ms each, told as "fired B after M"; "late boom"
is a timer that raises. Each callback that is called for a client that was removed is told to the first client.
"""

import faulthandler
import select
import signal
import socket
import sys
import time

sys.path.insert(0, ".")
faulthandler.register(signal.SIGUSR1)  # "where are you?": the checker may ask

import answer  # noqa: E402 — the learner's file

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
if not callable(getattr(answer, "Reactor", None)):
    sys.exit("expected the answer to define the class Reactor")
for name in ("add", "modify", "remove", "call_later", "run"):
    if not hasattr(answer.Reactor, name):
        sys.exit(f"expected the class Reactor to have the method {name}")
listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
reactor = answer.Reactor()
clients, removed, unsent = {}, set(), {}
witness = None


def tell(conn, words):
    try:
        conn.send(words.encode("ascii", "backslashreplace") + b"\n")
    except (OSError, AttributeError):
        pass


def knock(sock, events):
    global witness
    try:
        conn, peer = sock.accept()
    except BlockingIOError:
        return
    conn.setblocking(False)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    clients[peer[1]] = conn
    witness = witness or conn
    reactor.add(conn, READ, client)


def client(conn, events):
    """The callback of every connection."""
    if conn in removed:
        tell(witness, "called after remove")
        return
    if conn in unsent:
        if events & WRITE:
            write(conn)
        return
    if events & WRITE and not events & READ:
        return  # nobody has asked for this
    try:
        data = conn.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if not data:
        forget(conn)
        return
    for line in data.splitlines():
        obey(conn, line.decode(errors="replace").split())


def obey(conn, words):
    match words:
        case ["boom"]:
            raise ValueError("boom")
        case ["late", "boom"]:
            reactor.call_later(0.01, boom)
        case ["big", number]:
            unsent[conn] = b"x" * int(number) + b"\n"
            reactor.modify(conn, WRITE)
        case ["remove", port]:
            forget(clients[int(port)], keep=True)
            tell(conn, "removed")
        case ["timers", *periods]:
            for each in periods:
                reactor.call_later(int(each) / 1000, fired(conn, each))
        case _:
            tell(conn, " ".join(words))


def boom():
    raise ValueError("boom, later")


def fired(conn, period):
    begin = time.monotonic()
    return lambda: tell(conn, f"fired {period} after {(time.monotonic() - begin) * 1000:.1f}")


def write(conn):
    try:
        sent = conn.send(unsent[conn][:1_000_000])
    except BlockingIOError:
        return
    except OSError:
        forget(conn)
        return
    unsent[conn] = unsent[conn][sent:]
    if not unsent[conn]:
        del unsent[conn]
        reactor.modify(conn, READ)


def forget(conn, keep=False):
    reactor.remove(conn)
    unsent.pop(conn, None)
    removed.add(conn)
    if not keep:
        conn.close()


reactor.add(listener, READ, knock)
print("listening %s:%s" % listener.getsockname(), flush=True)
reactor.run()
sys.exit("run returned, though it should go on for ever")
