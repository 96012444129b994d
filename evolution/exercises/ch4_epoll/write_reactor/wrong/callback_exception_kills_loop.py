import heapq
import itertools
import select
import time


class Reactor:
    """Waits in epoll, and calls back. Callbacks of sockets get (sock, events), those of timers get nothing."""

    def __init__(self):
        self.epoll = select.epoll()
        self.watched = {}
        self.timers, self.order = [], itertools.count()

    def add(self, sock, events, callback):
        """Watch sock for events (EPOLLIN, EPOLLOUT, or both)."""
        self.watched[sock.fileno()] = (sock, callback)
        self.epoll.register(sock, events)

    def modify(self, sock, events):
        """Watch it for these events from now on, and for no others."""
        self.epoll.modify(sock, events)

    def remove(self, sock):
        """Do not watch it any more; its callback is not called again."""
        self.epoll.unregister(sock)
        del self.watched[sock.fileno()]

    def call_later(self, seconds, callback):
        """Call callback() once, not before `seconds` have passed."""
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), callback))

    def run(self):
        """Wait and call back for ever. A callback that raises harms nobody else; its traceback is printed."""
        while True:
            batch = [(self.watched[fd], fd, events) for fd, events in self.epoll.poll(self.patience())]
            for entry, fd, events in batch:
                if self.watched.get(fd) is entry:  # not removed meanwhile
                    sock, callback = entry
                    self.call(callback, sock, events)
            while self.timers and self.timers[0][0] <= time.monotonic():
                self.call(heapq.heappop(self.timers)[2])

    def patience(self):
        """Seconds until the next timer, None without one: epoll then waits for ever."""
        return max(0, self.timers[0][0] - time.monotonic()) if self.timers else None

    def call(self, callback, *arguments):
        callback(*arguments)
