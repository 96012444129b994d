"""The half-step between threads and select: nothing sleeps any more, and so the process never rests.

Changed since threads: one thread serves all connections. Every socket is non-blocking, so a call that would
have to wait says so at once, and the loop goes on to the next. It serves everybody, at the price of a core.
"""

import time

from evolution import core
from evolution.core.app import App


class Worker(core.Worker):
    def serve_forever(self):
        with core.listen(self.address) as listener, self.stop:
            self.listening(listener)
            self.loop(listener)

    def loop(self, listener):
        listener.setblocking(False)
        connections = []
        while not self.stop.requested:  # and nowhere in here does it sleep
            if client := self.accept(listener):
                connections.append(self.welcome(*client))
            for conn in list(connections):
                self.serve(conn)
                if conn.finished:
                    connections.remove(conn)
                    self.closed(conn)

    def accept(self, listener):
        try:
            return listener.accept()
        except OSError:  # BlockingIOError: nobody is there
            return None

    def welcome(self, sock, peer):
        sock.setblocking(False)
        conn = core.Connection(sock, peer, self.stop)
        self.opened(conn)
        return conn

    def serve(self, conn):
        if conn.wants_write:
            conn.transmit()
        elif data := conn.receive():  # None: nothing has come
            self.received(conn, data)
        if conn.overdue(time.monotonic()):
            conn.abort()


if __name__ == "__main__":
    worker = Worker("tcp://127.0.0.1:0")
    App().attach(worker)
    worker.on_start = lambda address: print(f"listening {address.host}:{address.port}", flush=True)
    worker.serve_forever()
