import select

BROKEN = select.POLLERR | select.POLLHUP | select.POLLNVAL


def serve(listener):
    """Looks at each bit, and has a time-out in milliseconds."""
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    clients = {}
    while True:
        for fd, what in poller.poll(1000):
            if fd == listener.fileno():
                conn, _ = listener.accept()
                clients[conn.fileno()] = conn
                poller.register(conn, select.POLLIN)
                continue
            data = b""
            if not what & BROKEN:
                try:
                    data = clients[fd].recv(65536)
                    clients[fd].sendall(data)
                except OSError:
                    data = b""
            if not data:
                poller.unregister(fd)
                clients.pop(fd).close()
