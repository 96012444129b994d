import bisect
import select
import sys
import time
import traceback


class Timer:
    def __init__(self, when, what):
        self.when, self.what = when, what

    def __lt__(self, other):
        return self.when < other.when


class Reactor:
    def __init__(self):
        self._poller = select.epoll()
        self._callbacks = {}
        self._timers = []

    def add(self, sock, events, callback):
        fd = sock.fileno()
        self._poller.register(fd, events)
        self._callbacks[fd] = [sock, callback, True]

    def modify(self, sock, events):
        self._poller.modify(sock.fileno(), events)

    def remove(self, sock):
        self._callbacks.pop(sock.fileno())[2] = False
        self._poller.unregister(sock.fileno())

    def call_later(self, seconds, callback):
        bisect.insort(self._timers, Timer(time.monotonic() + seconds, callback))

    def run(self):
        while 1:
            wait = -1
            if self._timers:
                wait = self._timers[0].when - time.monotonic()
                wait = 0 if wait < 0 else wait
            ready = self._poller.poll(wait)
            for entry, events in [(self._callbacks[fd], events) for fd, events in ready]:
                sock, callback, watched = entry
                if entry[2]:
                    try:
                        callback(sock, events)
                    except Exception as error:
                        print("callback failed:", error, file=sys.stderr)
            now = time.monotonic()
            due = [timer for timer in self._timers if timer.when <= now]
            self._timers = [timer for timer in self._timers if timer.when > now]
            for timer in due:
                try:
                    timer.what()
                except Exception:
                    traceback.print_exc()
