import collections
import select

READ = select.EPOLLIN | select.EPOLLET


class Server:
    def __init__(self, listener, on_data):
        self.listener, self.on_data = listener, on_data
        self.listener.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(listener, READ)
        self.conns = {listener.fileno(): listener}
        self.ready = collections.deque()

    def run(self):
        while True:
            for fd, _ in self.epoll.poll(None if not self.ready else 0):
                if self.conns[fd] not in self.ready:
                    self.ready.append(self.conns[fd])
            sock = self.ready.popleft()
            if self.accept() if sock is self.listener else self.read(sock):
                self.ready.append(sock)

    def accept(self):
        try:
            conn, _ = self.listener.accept()
        except BlockingIOError:
            return False
        conn.setblocking(False)
        self.conns[conn.fileno()] = conn
        self.epoll.register(conn, READ)
        return True

    def read(self, conn):
        try:
            data = conn.recv(32768)
        except BlockingIOError:
            return False
        except ConnectionError:
            data = b""
        if data:
            self.on_data(conn, data)
            return True
        del self.conns[conn.fileno()]
        conn.close()
        return False


def serve(listener, on_data):
    Server(listener, on_data).run()
