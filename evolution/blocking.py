"""One process, one connection at a time.

Changed since the beginning: nothing; the course starts here.

The process sleeps in one of three calls: accept while nobody is there, recv while its client says
nothing, send while its client does not read. Whoever comes meanwhile waits in the kernel's queue.
"""

import time

from evolution import core


class Worker(core.Worker):
    """Time-outs are kept for the connection being served, to within a TICK; all others wait for it."""

    def serve_forever(self):
        with core.listen(self.address) as listener, self.stop:
            self.listening(listener)
            self.loop(listener)

    def loop(self, listener):
        while not self.stop.requested:
            if client := self.accept(listener):
                self.serve(core.Connection(*client, self.stop))
        last = core.take_queue(listener, self.accept)
        listener.close()  # whoever comes now is refused at once
        for client in last:
            self.serve(core.Connection(*client, self.stop))

    def accept(self, listener):
        try:
            return listener.accept()  # sleeps here, while nobody comes
        except OSError as error:  # nobody came for a TICK, the client is gone already, or we are short
            if error.errno in core.SHORTAGE:
                time.sleep(core.TICK / 10)  # sleeps here, until something is given back

    def serve(self, conn):
        self.opened(conn)
        while not conn.finished:
            if self.stop.requested:
                conn.wind_down()
            if conn.wants_write:
                conn.transmit()  # sleeps here, while the client does not read
            elif data := conn.receive():  # sleeps here, while the client says nothing
                self.received(conn, data)
            if conn.overdue(time.monotonic()):
                conn.abort()
        self.closed(conn)
