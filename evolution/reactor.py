"""The classic Reactor: one thread waits, a queue hands over, worker threads do the work.

Changed since epoll_loop: the thread that waits does not read, answer or write. The seven steps:

1. register the socket for input;          2. wait in epoll_wait;
3. put the ready connection on the queue;  4. a worker reads, handles, and registers for output;
5. wait in epoll_wait;                     6. put the connection on the queue again;
7. a worker writes, and registers for input again.

EPOLLONESHOT makes the hand-over safe: a reported connection is silent until its worker is done.
"""

import queue
import select
import threading
import time

from evolution import core

READ, WRITE = select.EPOLLIN | select.EPOLLONESHOT, select.EPOLLOUT | select.EPOLLONESHOT


class Worker(core.Worker):
    """`workers` threads handle requests: that many may sleep or compute before the next has to wait.

    Time-outs are kept for every connection that no thread is working for, to within a TICK.
    """

    workers = 4

    def serve_forever(self):
        with core.listen(self.address) as self.listener, self.stop:
            self.listening(self.listener)
            self.loop()

    def loop(self):
        self.connections, self.busy = {}, set()
        self.requests, self.epoll = queue.SimpleQueue(), select.epoll()
        self.epoll.register(self.stop, select.EPOLLIN)
        self.epoll.register(self.listener, select.EPOLLIN)
        self.listener.setblocking(False)
        for _ in range(self.workers):
            threading.Thread(target=self.work, daemon=True).start()
        next_sweep = 0.0
        while not self.stop.overdue:
            stopping = self.stop.requested  # noted before the look, so that what came before it is answered
            ready = self.epoll.poll(core.TICK)  # sleeps here: steps 2 and 5
            now = time.monotonic()
            for fd, _ in ready:
                if conn := self.connections.get(fd):
                    self.busy.add(conn)
                    self.requests.put(conn)  # steps 3 and 6
                elif fd == self.listener.fileno():
                    self.accept()
            if now >= next_sweep:
                next_sweep = now + core.TICK
                self.sweep(now)
            if stopping:
                self.wind_down()
                if not self.connections and not self.busy:
                    break
        for conn in set(self.connections.values()) - self.busy:
            self.closed(conn)

    def work(self):
        while True:
            conn = self.requests.get()  # sleeps here, until there is something to do
            if conn.wants_write:
                conn.transmit()  # step 7
            elif data := conn.receive():  # step 4
                self.received(conn, data)
            if conn.finished or conn.overdue(time.monotonic()):
                del self.connections[conn.fileno()]
                self.closed(conn)
                self.busy.discard(conn)
            else:
                self.busy.discard(conn)
                self.epoll.modify(conn, WRITE if conn.wants_write else READ)  # speaks again from here on

    def accept(self):
        try:
            sock, peer = self.listener.accept()
        except OSError as error:  # nobody there any more, or we are short of something
            if error.errno in core.SHORTAGE:  # until the next sweep: trying again at once would spin
                self.epoll.modify(self.listener, 0)
            return False
        sock.setblocking(False)
        conn = self.connections[sock.fileno()] = core.Connection(sock, peer, self.stop)
        self.opened(conn)
        self.epoll.register(conn, WRITE if conn.wants_write else READ)  # step 1
        return True

    def sweep(self, now):
        for conn in set(self.connections.values()) - self.busy:  # the busy ones belong to a worker
            if self.stop.requested:
                conn.wind_down()
            if conn.overdue(now) or conn.finished:
                conn.shut()  # the end of the stream is an event: a worker drops it
        if not self.stop.requested:
            self.epoll.modify(self.listener, select.EPOLLIN)

    def wind_down(self):
        self.stop.drain()
        while not self.stop.overdue and self.accept():  # the queue is served too
            pass
        self.listener.close()  # whoever comes now is refused at once
        self.sweep(time.monotonic())
