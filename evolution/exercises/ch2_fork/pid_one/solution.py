import os


def init(start):
    """Be PID 1: start() the service, bury all who die below, return the service's exit code when it ends."""
    service = start()
    while True:
        pid, status = os.wait()  # any child, adopted ones too
        if pid == service:
            return os.waitstatus_to_exitcode(status)
