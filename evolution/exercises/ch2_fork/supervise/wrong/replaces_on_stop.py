import os
import signal
import time


def supervise(start, size):
    pids, stopping = set(), []

    def stop(*_):
        stopping.append(True)
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    while len(pids) < size or not stopping:
        while len(pids) < size:
            pids.add(start())
            time.sleep(0.06)
        pids.discard(os.wait()[0])
