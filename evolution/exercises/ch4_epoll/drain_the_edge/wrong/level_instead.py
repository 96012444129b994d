import select


def serve(listener, on_data):
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    connections = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                connections[conn.fileno()] = conn
                epoll.register(conn, select.EPOLLIN)
            else:
                data = connections[fd].recv(4096)
                if data:
                    on_data(connections[fd], data)
                else:
                    connections.pop(fd).close()
