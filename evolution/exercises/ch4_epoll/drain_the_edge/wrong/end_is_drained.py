import select

TURN = 65536  # bytes that one client gets read at a time; then it is the others' turn
EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    epoll = select.epoll()
    listener.setblocking(False)
    epoll.register(listener, EDGE)
    connections, again = {}, []
    while True:
        fds = [fd for fd, _ in epoll.poll(0 if again else -1)] + again
        again = []
        for fd in fds:
            try:
                if fd == listener.fileno():
                    while True:
                        conn, _ = listener.accept()
                        conn.setblocking(False)
                        connections[conn.fileno()] = conn
                        epoll.register(conn, EDGE)
                taken = 0
                while data := connections[fd].recv(4096):
                    on_data(connections[fd], data)
                    taken += len(data)
                    if taken >= TURN:
                        again.append(fd)
                        break
            except OSError:
                pass
