import select

EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    epoll = select.epoll()
    listener.setblocking(False)
    epoll.register(listener, EDGE)
    connections = {}
    while True:
        for fd, _ in epoll.poll():
            try:
                if fd == listener.fileno():
                    while True:
                        conn, _ = listener.accept()
                        conn.setblocking(False)
                        connections[conn.fileno()] = conn
                        epoll.register(conn, EDGE)
                while data := connections[fd].recv(4096):
                    on_data(connections[fd], data)
                connections.pop(fd).close()
            except BlockingIOError:
                pass
