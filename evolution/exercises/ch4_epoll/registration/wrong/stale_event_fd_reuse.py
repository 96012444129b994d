import select


class Registry:
    def __init__(self):
        self.connections = {}
        self.epoll = select.epoll()

    def add(self, conn):
        self.connections[conn.fileno()] = conn
        self.epoll.register(conn, select.EPOLLIN)

    def pause(self, conn):
        self.epoll.modify(conn, 0)

    def drop(self, conn):
        self.epoll.unregister(conn)
        del self.connections[conn.fileno()]
        conn.close()

    def ready(self):
        for fd, _ in self.epoll.poll():
            if fd in self.connections:
                yield self.connections[fd]
