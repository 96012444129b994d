import select

EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    epoll = select.epoll()
    listener.setblocking(False)
    epoll.register(listener, select.EPOLLIN)
    connections = []
    while True:
        for fd, _ in epoll.poll(0):
            if fd == listener.fileno():
                conn, _ = listener.accept()
                conn.setblocking(False)
                epoll.register(conn, EDGE)
                connections.append(conn)
        for conn in list(connections):
            try:
                data = conn.recv(16384)
            except BlockingIOError:
                continue
            if data:
                on_data(conn, data)
            else:
                connections.remove(conn)
                conn.close()
