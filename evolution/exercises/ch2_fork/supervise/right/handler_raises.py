import os
import signal
import time
from collections import deque


class Stop(Exception):
    pass


def supervise(start, size):
    """Asleep in wait; SIGTERM is an exception that ends the sleep. Five starts a second are enough."""
    crew, starts = set(), deque([0.0] * 5, maxlen=5)

    def stop(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stop

    def fill():
        while len(crew) < size:
            if (early := starts[0] + 1 - time.monotonic()) > 0:
                time.sleep(early)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            crew.add(start())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            starts.append(time.monotonic())

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            fill()
            crew.discard(os.wait()[0])
    except Stop:
        for pid in crew:
            os.kill(pid, signal.SIGTERM)
        for pid in crew:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass
