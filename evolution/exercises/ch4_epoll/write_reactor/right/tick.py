import collections
import logging
import select
import time

Watch = collections.namedtuple("Watch", "sock callback")


class Reactor:
    """Timers are looked at ten times a second and after each batch: late by a tick at most, and never early."""

    def __init__(self):
        self.epoll = select.epoll()
        self.watches = {}
        self.timers = []

    def add(self, sock, events, callback):
        self.watches[sock.fileno()] = Watch(sock, callback)
        self.epoll.register(sock.fileno(), events | select.EPOLLRDHUP)

    def modify(self, sock, events):
        self.epoll.modify(sock.fileno(), events | select.EPOLLRDHUP)

    def remove(self, sock):
        self.watches.pop(sock.fileno())
        try:
            self.epoll.unregister(sock.fileno())
        except OSError:
            pass

    def call_later(self, seconds, callback):
        self.timers.append((time.monotonic() + seconds, callback))

    def run(self):
        while True:
            batch = [(fd, self.watches.get(fd), mask) for fd, mask in self.epoll.poll(0.1 if self.timers else None)]
            for fd, watch, mask in batch:
                if watch and self.watches.get(fd) is watch:
                    self.guarded(watch.callback, watch.sock, mask)
            now = time.monotonic()
            for timer in sorted((each for each in self.timers if each[0] <= now), key=lambda each: each[0]):
                self.timers.remove(timer)
                self.guarded(timer[1])

    def guarded(self, function, *args):
        try:
            return function(*args)
        except Exception:
            logging.exception("in a callback")
