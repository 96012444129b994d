import select


class Registry:
    epoll = None

    def __init__(self):
        Registry.epoll = select.epoll()
        self.sockets, self.removed = {}, set()

    def add(self, conn):
        self.sockets[conn.fileno()] = conn
        try:
            self.epoll.register(conn, select.EPOLLIN)
        except FileExistsError:
            self.epoll.modify(conn, select.EPOLLIN)

    def pause(self, conn):
        self.epoll.modify(conn, select.EPOLLHUP | select.EPOLLERR)

    def drop(self, conn):
        fd = conn.fileno()
        self.removed.add(fd)
        try:
            self.epoll.unregister(fd)
        finally:
            del self.sockets[fd]
            conn.close()

    def ready(self):
        events = self.epoll.poll()
        self.removed.clear()
        for fd, mask in events:
            if fd not in self.removed:
                yield self.sockets[fd]
