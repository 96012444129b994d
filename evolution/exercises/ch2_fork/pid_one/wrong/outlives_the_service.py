import os


def init(start):
    service = start()
    code = 0
    try:
        while True:
            pid, status = os.wait()
            if pid == service:
                code = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        return code
