import os
import signal


def serve(listener, start, record):
    def reap(signum, frame):
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                record(*found)
        except ChildProcessError:
            pass

    signal.signal(signal.SIGCHLD, reap)
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
