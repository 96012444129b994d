"""A process for each connection.

Changed since blocking: the parent only accepts and forks; a child serves the one client and ends.
A client that says nothing now holds up its own process and nobody else. New duties come with it: the
parent closes its copy of the connection, buries its dead, and counts the living.
"""

import os
import signal
import time
from contextlib import suppress

from evolution import core


class Worker(core.Worker):
    """`workers` is the most children at a time: beyond it clients wait in the kernel's queue.

    Time-outs are kept for each connection, to within a TICK.
    """

    workers = 100

    def serve_forever(self):
        self.children = set()
        self.stop.then = self.tell_children
        with core.listen(self.address) as listener, self.stop:
            signal.signal(signal.SIGCHLD, self.reap)
            self.listening(listener)
            self.loop(listener)
            while self.children and not self.stop.overdue:
                time.sleep(core.TICK / 10)  # sleeps here, until the last child is done
            self.tell_children(signal.SIGKILL)

    def loop(self, listener):
        while not self.stop.requested:
            if len(self.children) >= self.workers:
                time.sleep(core.TICK / 10)  # sleeps here, until a child ends
            elif client := self.accept(listener):
                self.fork(listener, core.Connection(*client, self.stop))
        last = core.take_queue(listener, self.accept)
        listener.close()  # whoever comes now is refused at once
        for client in last:
            while len(self.children) >= self.workers and not self.stop.overdue:
                time.sleep(core.TICK / 10)  # sleeps here, until a child ends
            self.fork(listener, core.Connection(*client, self.stop))

    def accept(self, listener):
        try:
            return listener.accept()  # sleeps here, while nobody comes
        except OSError as error:  # nobody came for a TICK, the client is gone already, or we are short
            if error.errno in core.SHORTAGE:
                time.sleep(core.TICK / 10)  # sleeps here, until something is given back

    def fork(self, listener, conn):
        with self.stop.held(), suppress(OSError):  # no process to be had (fork(2)): the client is turned away
            pid = os.fork()  # one process becomes two
            if pid == 0:
                self.live(listener, conn)
            self.children.add(pid)
        conn.sock.close()  # our copy: while it is open the client cannot see the end

    def live(self, listener, conn):
        try:
            self.stop.inherit()
            listener.close()
            self.serve(conn)
        except BaseException as error:
            core.complain(f"process {os.getpid()} ended:", error)
            os._exit(1)
        os._exit(0)  # never return into the parent's loop

    def reap(self, *_):
        with suppress(ChildProcessError):  # no children left
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:  # one SIGCHLD may stand for many deaths
                self.children.discard(pid)

    def tell_children(self, signum=signal.SIGTERM):
        for pid in list(self.children):
            with suppress(ProcessLookupError):
                os.kill(pid, signum)

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
