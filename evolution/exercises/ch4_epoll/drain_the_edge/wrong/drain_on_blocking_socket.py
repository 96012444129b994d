import select

EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    epoll = select.epoll()
    listener.setblocking(False)
    epoll.register(listener, EDGE)
    connections = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                while True:
                    try:
                        conn, _ = listener.accept()
                    except BlockingIOError:
                        break
                    connections[conn.fileno()] = conn
                    epoll.register(conn, EDGE)
            else:
                try:
                    while data := connections[fd].recv(4096):
                        on_data(connections[fd], data)
                    connections.pop(fd).close()
                except BlockingIOError:
                    pass
