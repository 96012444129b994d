import os
import signal


def serve(listener, start, record):
    def reap(signum, frame):
        try:
            while True:
                pid, status = os.wait()
                record(pid, os.waitstatus_to_exitcode(status))
        except ChildProcessError:
            pass

    signal.signal(signal.SIGCHLD, reap)
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
