"""One process, many connections: it sleeps in select until any of them is ready.

Changed since threads: nobody waits inside recv or send any more. All sockets are non-blocking, one
call sleeps for all of them, and the process then serves those that are ready, one after another. A
connection is watched for input, or, while bytes are left over, for room to send.
"""

import select
import time

from evolution import core

FD_SETSIZE = 1024
"""select takes descriptors 0 to 1023: its sets are arrays of that many bits (select(2))."""


class Worker(core.Worker):
    """Time-outs are kept for every connection, to within a TICK. A handler that computes stops them all."""

    def serve_forever(self):
        with core.listen(self.address) as self.listener, self.stop:
            self.listening(self.listener)
            self.loop()

    def loop(self):
        self.connections = {}
        self.reading, self.writing = {self.stop.fileno(), self.listener.fileno()}, set()
        self.listener.setblocking(False)
        stopping, next_sweep = False, 0.0
        while self.connections or not stopping:
            stopping = self.stop.requested  # noted before the look, so that what came before it is answered
            readable, writable, _ = select.select(self.reading, self.writing, [], core.TICK)  # sleeps here
            now = time.monotonic()  # before any handler works: what comes while it sleeps is not late
            for fd in readable + writable:
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
                self.reading.discard(self.listener.fileno())
            return False
        if sock.fileno() >= FD_SETSIZE:
            core.complain(f"refused {peer}: descriptor {sock.fileno()} is past select's limit")
            sock.close()
            return True
        sock.setblocking(False)
        conn = self.connections[sock.fileno()] = core.Connection(sock, peer, self.stop)
        self.reading.add(conn.fileno())
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
            self.reading ^= {conn.fileno()}  # out of one set
            self.writing ^= {conn.fileno()}  # and into the other

    def drop(self, conn):
        del self.connections[conn.fileno()]
        self.reading.discard(conn.fileno())
        self.writing.discard(conn.fileno())
        self.closed(conn)

    def sweep(self, now):
        for conn in list(self.connections.values()):
            if conn.overdue(now):
                conn.abort()
            self.settle(conn)
        if not self.stop.requested:
            self.reading.add(self.listener.fileno())

    def wind_down(self):
        self.stop.drain()
        while not self.stop.overdue and self.accept():  # the queue is served too
            pass
        self.reading.discard(self.listener.fileno())
        for conn in list(self.connections.values()):
            conn.wind_down()
            self.settle(conn)
