import collections
import select
import threading

WORKERS = 4


class Reactor:
    """Without ONESHOT: the loop itself takes the interest away before it hands over."""

    def __init__(self, listener, handle):
        self.listener, self.handle = listener, handle
        self.epoll, self.clients = select.epoll(), {}
        self.jobs, self.bell = collections.deque(), threading.Semaphore(0)

    def run(self):
        self.epoll.register(self.listener, select.EPOLLIN)
        for _ in range(WORKERS):
            threading.Thread(target=self.work, daemon=True).start()
        while True:
            for fd, _ in self.epoll.poll():
                if fd == self.listener.fileno():
                    sock, _ = self.listener.accept()
                    self.clients[sock.fileno()] = sock
                    self.epoll.register(sock, select.EPOLLIN)
                else:
                    self.epoll.unregister(fd)
                    self.jobs.append(self.clients.pop(fd))
                    self.bell.release()

    def work(self):
        while True:
            self.bell.acquire()
            sock = self.jobs.popleft()
            try:
                data = sock.recv(4096)
            except OSError:
                data = b""
            if not data:
                sock.close()
                continue
            sock.sendall(self.handle(sock, data))
            self.clients[sock.fileno()] = sock
            self.epoll.register(sock, select.EPOLLIN)


def serve(listener, handle):
    Reactor(listener, handle).run()
