import os
import time


def init(start):
    service = start()
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == service:
            return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if pid == 0:
            time.sleep(0.05)
