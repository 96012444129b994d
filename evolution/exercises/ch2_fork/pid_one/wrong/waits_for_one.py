import os


def init(start):
    service = start()
    _, status = os.waitpid(service, 0)
    return os.waitstatus_to_exitcode(status)
