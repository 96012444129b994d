import os
import signal
import time


def supervise(start, size):
    pids, stopping = set(), []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        while len(pids) < size:
            pids.add(start())
            time.sleep(0.06)
        pids.discard(os.wait()[0])
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    for pid in pids:
        os.waitpid(pid, 0)
