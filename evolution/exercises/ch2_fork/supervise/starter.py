import os
import signal
import time


def supervise(start, size):
    """Keep `size` workers alive until SIGTERM comes; then end them, wait for them, and return."""
    for _ in range(size):
        start()  # forks a worker; returns its pid
    for _ in range(size):
        os.wait()
