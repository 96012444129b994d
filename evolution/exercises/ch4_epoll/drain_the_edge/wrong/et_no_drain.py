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
                    conn.setblocking(False)
                    connections[conn.fileno()] = conn
                    epoll.register(conn, EDGE)
            else:
                data = connections[fd].recv(65536)  # a bigger piece, and one piece only
                if data:
                    on_data(connections[fd], data)
                else:
                    connections.pop(fd).close()
