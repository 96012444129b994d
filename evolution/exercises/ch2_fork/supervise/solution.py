import os
import signal
import time


def supervise(start, size):
    """Keep `size` workers alive until SIGTERM comes; then end them, wait for them, and return."""
    born, stopping, delay = {}, [], 0.0
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        if len(born) < size:
            time.sleep(delay)
            born[start()] = time.monotonic()
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid:
            young = time.monotonic() - born.pop(pid) < 1
            delay = min(0.4, 2 * delay or 0.1) if young else 0.0  # a crash loop must not be a fast one
        elif len(born) == size:
            time.sleep(0.05)
    for pid in born:
        os.kill(pid, signal.SIGTERM)
    for pid in born:
        os.waitpid(pid, 0)
