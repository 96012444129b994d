"""gevent: a greenlet for each connection, written as if it might block."""

from gevent.server import StreamServer
from replies import DONE, EMPTY_LINE, KEEP, LAST, announce


def serve(sock, _):
    unread = b""
    while data := sock.recv(65536):
        *heads, unread = (unread + data).split(EMPTY_LINE)
        closing = any(DONE in head.lower() for head in heads)
        if answer := KEEP * (len(heads) - closing) + LAST * closing:
            sock.sendall(answer)
        if closing:
            break


if __name__ == "__main__":
    server = StreamServer(("127.0.0.1", 0), serve, backlog=1024)
    server.start()
    announce(server.socket)
    server.serve_forever()
