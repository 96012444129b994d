import select


class Registry:
    def __init__(self):
        self.poller = select.epoll()
        self.table = dict()

    def add(self, conn):
        self.poller.register(conn.fileno(), select.EPOLLIN | select.EPOLLRDHUP)
        self.table[conn.fileno()] = conn

    def pause(self, conn):
        self.poller.modify(conn.fileno(), 0)

    def drop(self, conn):
        fd = conn.fileno()
        self.poller.unregister(fd)
        self.table.pop(fd, None)
        conn.close()

    def ready(self):
        return [self.table[fd] for fd, _ in self.poller.poll(-1)]
