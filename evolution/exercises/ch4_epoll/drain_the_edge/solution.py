import select

TURN = 65536  # bytes that one client gets read at a time; then it is the others' turn
EDGE = select.EPOLLIN | select.EPOLLET


def serve(listener, on_data):
    """Serve all clients in one process, for ever, watching for edges. on_data(conn, data) answers."""
    epoll = select.epoll()
    listener.setblocking(False)
    epoll.register(listener, EDGE)
    connections, unfinished = {}, set()
    while True:
        events = epoll.poll(0 if unfinished else -1)  # sleeps here, unless somebody's turn was cut short
        for fd in {fd for fd, _ in events} | unfinished:
            unfinished.discard(fd)
            if fd == listener.fileno():
                accept_all(listener, epoll, connections)
            elif not take_turn(connections[fd], on_data):
                unfinished.add(fd)
            elif connections[fd].fileno() < 0:
                del connections[fd]


def accept_all(listener, epoll, connections):
    try:
        while True:
            conn, _ = listener.accept()
            conn.setblocking(False)
            connections[conn.fileno()] = conn
            epoll.register(conn, EDGE)
    except BlockingIOError:
        pass


def take_turn(conn, on_data):
    """Read up to TURN bytes; return whether there is nothing left to read."""
    taken = 0
    try:
        while taken < TURN:
            data = conn.recv(16384)
            if not data:
                conn.close()
                return True
            taken += len(data)
            on_data(conn, data)
        return False
    except BlockingIOError:
        return True
    except OSError:  # a reset
        conn.close()
        return True
