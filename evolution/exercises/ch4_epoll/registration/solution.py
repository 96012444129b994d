import select


class Registry:
    """Which sockets of a loop are watched, and for what. After a fork each process makes its own."""

    def __init__(self):
        self.connections = {}
        self.epoll = select.epoll()  # one for each process: made after the fork

    def add(self, conn):
        """Watch it for input from now on."""
        self.connections[conn.fileno()] = conn
        self.epoll.register(conn, select.EPOLLIN)

    def pause(self, conn):
        """Do not report its input any more. When the connection breaks off, report that all the same."""
        self.epoll.modify(conn, 0)

    def drop(self, conn):
        """Forget it and close it."""
        self.epoll.unregister(conn)  # close alone does it only when nobody has a copy
        del self.connections[conn.fileno()]
        conn.close()

    def ready(self):
        """Sleep until something happens; yield each socket that it has happened to."""
        batch = [(fd, self.connections[fd]) for fd, _ in self.epoll.poll()]  # sleeps here
        for fd, conn in batch:
            if self.connections.get(fd) is conn:  # not dropped meanwhile, nor its number given to another
                yield conn
