import select

TURN = 65536  # bytes that one client gets read at a time; then it is the others' turn
EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    epoll = select.epoll()
    epoll.register(listener, EDGE)
    connections, again = {}, set()
    while True:
        for fd in {fd for fd, _ in epoll.poll(0 if again else -1)} | again:
            again.discard(fd)
            if fd == listener.fileno():
                conn, _ = listener.accept()
                conn.setblocking(False)
                connections[conn.fileno()] = conn
                epoll.register(conn, EDGE)
                continue
            conn, taken = connections[fd], 0
            try:
                while taken < TURN:
                    data = conn.recv(16384)
                    if not data:
                        connections.pop(fd).close()
                        break
                    taken += len(data)
                    on_data(conn, data)
                else:
                    again.add(fd)
            except BlockingIOError:
                pass
