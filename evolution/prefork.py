"""A crew of processes made beforehand, all asleep in accept on one listener.

Changed since fork: nothing is forked when a client comes. Each worker is the blocking server; the kernel
gives each connection to one of them. The parent has become a master: it accepts nobody, replaces
workers that die, and stops the crew.
"""

import os
import select
import signal
import time
from contextlib import suppress

from evolution import core


class Worker(core.Worker):
    """`workers` processes serve that many connections at a time; all further ones wait for one of them.

    Time-outs are kept for the connections being served, to within a TICK.
    """

    workers = 4

    def serve_forever(self):
        with core.listen(self.address) as self.listener, self.stop:
            self.crew = core.Crew(self.workers)
            self.fork()
            self.listening(self.listener)
            self.supervise()

    def supervise(self):
        signal.signal(signal.SIGCHLD, lambda *_: None)  # caught, so that a death ends the sleep below
        while not self.stop.requested:
            while self.crew.needs_one:
                self.fork()
            self.sleep()
        self.listener.close()  # the workers' copies are the last: nobody is let in that nobody will serve
        self.tell_crew(signal.SIGTERM)
        while self.crew and not self.stop.overdue:
            self.sleep()
        self.tell_crew(signal.SIGKILL)

    def sleep(self):
        select.select([self.stop], [], [], core.TICK / 5)  # sleeps here, until a signal comes
        self.stop.drain()
        self.reap()

    def fork(self):
        try:
            with self.stop.held():
                pid = os.fork()  # one process becomes two
                if pid == 0:
                    self.live()
                self.crew.add(pid)
        except OSError:  # no process to be had (fork(2))
            self.crew.failed()

    def live(self):
        try:
            self.stop.inherit(self.listener)
            self.loop(self.listener)
        except BaseException as error:
            core.complain(f"process {os.getpid()} ended:", error)
            os._exit(1)
        os._exit(0)  # never return into the master's loop

    def reap(self):
        with suppress(ChildProcessError):  # no children left
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:  # one SIGCHLD may stand for many deaths
                self.crew.remove(pid)

    def tell_crew(self, signum):
        for pid in self.crew:
            with suppress(ProcessLookupError):
                os.kill(pid, signum)

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
