import os
import signal


def serve(listener, start, record):
    """For ever: accept clients, start(conn) a child for each, and record(pid, code) each child's end."""

    def reap(signum, frame):
        try:
            while True:  # one signal may stand for many deaths
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return  # children, but none that has ended
                record(pid, os.waitstatus_to_exitcode(status))
        except ChildProcessError:
            return  # no children at all

    signal.signal(signal.SIGCHLD, reap)
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
