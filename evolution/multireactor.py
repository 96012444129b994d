"""A master and several reactors: each worker process runs an epoll loop of its own, as in nginx.

Changed since epoll_loop: there is one loop for each core. Every worker has a listener of its own on the
same port (SO_REUSEPORT): the kernel picks a queue by a hash of the addresses, and a connection stays
with its worker. The master supervises as in prefork and never listens.

`share="listener"` is nginx's other way: one listener, watched by all workers with EPOLLEXCLUSIVE.
"""

import os
import select
import signal
from contextlib import suppress

from evolution import core, epoll_loop


class Worker(epoll_loop.Worker):
    """`workers` reactors. Time-outs are kept for every connection, to within a TICK."""

    workers = 2

    def __init__(self, address, workers=None, share="port"):
        """Raises AddressError, or ValueError for fewer than one worker or an unknown `share`."""
        super().__init__(address, workers)
        if share not in ("port", "listener"):
            raise ValueError(f"expected share to be 'port' or 'listener', not {share!r}")
        self.share = share

    def serve_forever(self):
        claim = core.reserve if self.share == "port" else core.listen
        with claim(self.address) as self.door, self.stop:
            self.address = core.Address(*self.door.getsockname())
            self.crew = core.Crew(self.workers)
            self.fork()
            self.listening(self.door)
            self.supervise()

    def fork(self):
        try:
            self.listener = core.listen(self.address, reuse_port=True) if self.share == "port" else self.door
            with self.stop.held():
                pid = os.fork()  # one process becomes two
                if pid == 0:
                    self.live()
                self.crew.add(pid)
        except (OSError, core.AddressError):  # no process or no descriptor to be had
            self.crew.failed()
        if self.listener is not self.door:
            self.listener.close()  # the worker's copy is the only one: its queue lives and dies with it

    def live(self):
        try:
            self.stop.inherit()
            self.loop()
        except BaseException as error:
            core.complain(f"process {os.getpid()} ended:", error)
            os._exit(1)
        os._exit(0)  # never return into the master's loop

    def heed(self, events):
        with suppress(FileNotFoundError):  # an exclusive entry cannot be modified (epoll_ctl(2))
            self.poller.unregister(self.listener)
        if events:
            self.poller.register(self.listener, events | select.EPOLLEXCLUSIVE)  # wake one worker, not all

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

    def reap(self):
        with suppress(ChildProcessError):  # no children left
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:  # one SIGCHLD may stand for many deaths
                self.crew.remove(pid)

    def tell_crew(self, signum):
        for pid in self.crew:
            with suppress(ProcessLookupError):
                os.kill(pid, signum)
