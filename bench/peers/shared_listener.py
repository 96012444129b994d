"""multireactor with one listener that wakes all workers, as before EPOLLEXCLUSIVE (Linux 4.5)."""

import sys

from evolution import epoll_loop, multireactor
from evolution.core.app import App


class Worker(multireactor.Worker):
    heed = epoll_loop.Worker.heed


if __name__ == "__main__":
    worker = Worker("tcp://127.0.0.1:0", int(sys.argv[1]), share="listener")
    App(idle_timeout=3600, request_timeout=3600).attach(worker)
    worker.on_start = lambda address: print(f"listening {address.host}:{address.port}", flush=True)
    worker.serve_forever()
