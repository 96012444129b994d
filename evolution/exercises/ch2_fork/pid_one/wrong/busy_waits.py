import os


def init(start):
    service = start()
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == service:
            return os.waitstatus_to_exitcode(status)
