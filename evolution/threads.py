"""A thread for each connection.

Changed since fork: a thread serves the client instead of a process. It is cheaper to make, shares all
memory and every descriptor, and has no exit status to collect; but only one thread runs Python at a time.
"""

import threading
import time

from evolution import core


class Worker(core.Worker):
    """`workers` is the most threads at a time: beyond it clients wait in the kernel's queue.

    Time-outs are kept for each connection, to within a TICK.
    """

    workers = 500

    def serve_forever(self):
        self.threads = set()
        self.free = threading.Semaphore(self.workers)
        with core.listen(self.address) as listener, self.stop:
            self.listening(listener)
            self.loop(listener)
            while self.threads and not self.stop.overdue:
                time.sleep(core.TICK / 10)  # sleeps here, until the last thread is done

    def loop(self, listener):
        while not self.stop.requested:
            if self.free.acquire(timeout=core.TICK):  # sleeps here, while all threads are busy
                if client := self.accept(listener):
                    self.start_thread(core.Connection(*client, self.stop))
                else:
                    self.free.release()
        last = core.take_queue(listener, self.accept)
        listener.close()  # whoever comes now is refused at once
        for client in last:
            self.free.acquire(timeout=core.TICK)  # one thread too many is better than a client lost
            self.start_thread(core.Connection(*client, self.stop))

    def accept(self, listener):
        try:
            return listener.accept()  # sleeps here, while nobody comes
        except OSError as error:  # nobody came for a TICK, the client is gone already, or we are short
            if error.errno in core.SHORTAGE:
                time.sleep(core.TICK / 10)  # sleeps here, until something is given back

    def start_thread(self, conn):
        thread = threading.Thread(target=self.live, args=(conn,), daemon=True)
        self.threads.add(thread)
        try:
            thread.start()  # one more that runs beside us
        except RuntimeError:  # no thread to be had (pthread_create(3): EAGAIN): this client is turned away
            self.threads.discard(thread)
            self.free.release()
            conn.sock.close()

    def live(self, conn):
        try:
            self.serve(conn)
        finally:
            self.threads.discard(threading.current_thread())
            self.free.release()

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
