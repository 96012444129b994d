"""A loop on the standard library's `selectors`, with a callback in each key's data."""

import selectors
import socket

from replies import DONE, EMPTY_LINE, KEEP, LAST, announce

selector = selectors.DefaultSelector()


def accept(listener, _):
    try:
        sock, _ = listener.accept()
    except OSError:
        return
    sock.setblocking(False)
    selector.register(sock, selectors.EVENT_READ, (serve, [b""]))


def serve(sock, unread):
    try:
        data = sock.recv(65536)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if not data:
        return drop(sock)
    *heads, unread[0] = (unread[0] + data).split(EMPTY_LINE)
    closing = any(DONE in head.lower() for head in heads)
    answer = KEEP * (len(heads) - closing) + LAST * closing
    try:
        sent = sock.send(answer)
    except OSError:
        return drop(sock)
    if closing or sent < len(answer):  # a peer for small answers: one that is not read is given up
        drop(sock)


def drop(sock):
    selector.unregister(sock)
    sock.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ, (accept, None))
    announce(listener)
    while True:
        for key, _ in selector.select():
            callback, state = key.data
            callback(key.fileobj, state)


if __name__ == "__main__":
    main()
