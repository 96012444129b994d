import select


def serve(listener):
    """Send back to each client what it says, for ever, whatever number its descriptor has."""
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    clients = {}
    while True:
        for fd, _ in poller.poll():  # sleeps here
            if fd == listener.fileno():
                conn, _ = listener.accept()
                clients[conn.fileno()] = conn
                poller.register(conn, select.POLLIN)
                continue
            conn = clients[fd]
            try:
                data = conn.recv(65536)
                if data:
                    conn.sendall(data)
            except OSError:
                data = b""
            if not data:
                poller.unregister(fd)
                del clients[fd]
                conn.close()
