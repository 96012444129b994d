import select

TURN = 65536  # bytes that one client gets read at a time; then it is the others' turn
EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    """Serve all clients in one process, for ever, watching for edges. on_data(conn, data) answers."""
    epoll = select.epoll()
    epoll.register(listener, EDGE)
    connections = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                connections[conn.fileno()] = conn
                epoll.register(conn, EDGE)
            else:
                data = connections[fd].recv(4096)
                if data:
                    on_data(connections[fd], data)
                else:
                    connections.pop(fd).close()
