import os


def init(start):
    start()
    _, status = os.wait()
    return os.waitstatus_to_exitcode(status)
