import os
import signal


def serve(listener, start, record):
    def reap(signum, frame):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            record(pid, os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGCHLD, reap)
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
