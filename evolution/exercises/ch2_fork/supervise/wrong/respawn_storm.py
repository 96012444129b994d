import os
import signal
import time


def supervise(start, size):
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    pids = set()
    while not stopping:
        while len(pids) < size:
            pids.add(start())
        if len(pids) == size:
            time.sleep(0.001)
        try:
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                pids.discard(pid)
        except ChildProcessError:
            pass
    for pid in list(pids):
        os.kill(pid, signal.SIGTERM)
    while pids:
        pids.discard(os.wait()[0])
