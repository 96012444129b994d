import os
import signal
import time


def supervise(start, size):
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    pids, starts = set(), 0
    while not stopping:
        if len(pids) < size and starts < 4 * size:
            starts += 1
            pids.add(start())
        time.sleep(0.06)  # at most 16 a second, however they die
        try:
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                pids.discard(pid)
        except ChildProcessError:
            pass
    for pid in list(pids):
        os.kill(pid, signal.SIGTERM)
    while pids:
        pids.discard(os.wait()[0])
