"""epoll_loop on a listener that hands out a connection only once its request is there (TCP_DEFER_ACCEPT).

It is read at once then, without another turn through epoll_wait. The course's model does not do so: a client
that connects and is silent would be in no picture.
"""

import socket

from evolution import epoll_loop
from evolution.core.app import App


class Worker(epoll_loop.Worker):
    def listening(self, listener):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        super().listening(listener)

    def opened(self, conn):
        super().opened(conn)
        if data := conn.receive():
            self.received(conn, data)


if __name__ == "__main__":
    worker = Worker("tcp://127.0.0.1:0")
    App(idle_timeout=3600, request_timeout=3600).attach(worker)
    worker.on_start = lambda address: print(f"listening {address.host}:{address.port}", flush=True)
    worker.serve_forever()
