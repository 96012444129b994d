import os
import signal


def supervise(start, size):
    pids = {start() for _ in range(size)}

    def stop(*_):
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    while pids:
        pids.discard(os.wait()[0])
