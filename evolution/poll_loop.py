"""One process, many connections: it sleeps in poll until any of them is ready.

Changed since select_loop: the descriptors to watch are a list with one entry each instead of two sets of
1,024 bits. Descriptor 1024 is no longer special, and a change touches one entry. The kernel still looks
at every entry on every call.
"""

import select
import time

from evolution import core

READ, WRITE, NOTHING = select.POLLIN, select.POLLOUT, 0


class Worker(core.Worker):
    """Time-outs are kept for every connection, to within a TICK. A handler that computes stops them all."""

    def serve_forever(self):
        with core.listen(self.address) as self.listener, self.stop:
            self.listening(self.listener)
            self.loop()

    def loop(self):
        self.connections = {}
        self.poller = select.poll()
        self.poller.register(self.stop, READ)
        self.poller.register(self.listener, READ)
        self.listener.setblocking(False)
        stopping, next_sweep = False, 0.0
        while self.connections or not stopping:
            stopping = self.stop.requested  # noted before the look, so that what came before it is answered
            ready = self.poller.poll(core.TICK * 1000)  # sleeps here
            now = time.monotonic()  # before any handler works: what comes while it sleeps is not late
            for fd, _ in ready:
                if conn := self.connections.get(fd):
                    self.serve(conn)
                elif fd == self.listener.fileno():
                    self.accept()
            if now >= next_sweep:
                next_sweep = now + core.TICK
                self.sweep(now)
            if stopping:
                self.wind_down()

    def accept(self):
        try:
            sock, peer = self.listener.accept()
        except OSError as error:  # nobody there any more, or we are short of something
            if error.errno in core.SHORTAGE:  # until the next sweep: trying again at once would spin
                self.poller.modify(self.listener, NOTHING)
            return False
        sock.setblocking(False)
        fd = sock.fileno()
        conn = self.connections[fd] = core.Connection(sock, peer, self.stop)
        self.poller.register(fd, READ)
        self.opened(conn)
        self.settle(conn)
        return True

    def serve(self, conn):
        if not conn.wants_write and (data := conn.receive()):
            self.received(conn, data)
        self.settle(conn)

    def settle(self, conn):
        if conn.wants_write:
            conn.transmit()  # most answers fit into the kernel's buffer at once
        if conn.finished:
            self.drop(conn)
        elif conn.wants_write is not conn.writing:  # a change, and only then
            conn.writing = conn.wants_write
            self.poller.modify(conn, WRITE if conn.writing else READ)

    def drop(self, conn):
        del self.connections[conn.fileno()]
        self.poller.unregister(conn)
        self.closed(conn)

    def sweep(self, now):
        for conn in list(self.connections.values()):
            if conn.overdue(now):
                conn.abort()
            self.settle(conn)
        if not self.stop.requested:
            self.poller.modify(self.listener, READ)

    def wind_down(self):
        self.stop.drain()
        while not self.stop.overdue and self.accept():  # the queue is served too
            pass
        self.poller.modify(self.listener, NOTHING)
        for conn in list(self.connections.values()):
            conn.wind_down()
            self.settle(conn)
