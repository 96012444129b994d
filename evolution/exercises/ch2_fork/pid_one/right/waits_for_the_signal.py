import os
import signal


def init(start):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    service = start()
    while True:
        signal.sigwait({signal.SIGCHLD})
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == service:
                return os.waitstatus_to_exitcode(status)
            if pid == 0:
                break
