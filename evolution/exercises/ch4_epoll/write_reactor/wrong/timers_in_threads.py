import select
import threading
import traceback


class Reactor:
    def __init__(self):
        self.epoll = select.epoll()
        self.watched = {}

    def add(self, sock, events, callback):
        self.watched[sock.fileno()] = (sock, callback)
        self.epoll.register(sock, events)

    def modify(self, sock, events):
        self.epoll.modify(sock, events)

    def remove(self, sock):
        self.epoll.unregister(sock)
        del self.watched[sock.fileno()]

    def call_later(self, seconds, callback):
        threading.Timer(seconds, callback).start()

    def run(self):
        while True:
            for entry, fd, events in [(self.watched[fd], fd, events) for fd, events in self.epoll.poll()]:
                if self.watched.get(fd) is entry:
                    try:
                        entry[1](entry[0], events)
                    except Exception:
                        traceback.print_exc()
