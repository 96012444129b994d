import select

epoll = select.epoll()


class Registry:
    def __init__(self):
        self.connections = {}

    def add(self, conn):
        self.connections[conn.fileno()] = conn
        epoll.register(conn, select.EPOLLIN)

    def pause(self, conn):
        epoll.modify(conn, 0)

    def drop(self, conn):
        epoll.unregister(conn)
        del self.connections[conn.fileno()]
        conn.close()

    def ready(self):
        return [self.connections[fd] for fd, _ in epoll.poll()]
