import os


def serve(listener, start, record):
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            record(pid, os.waitstatus_to_exitcode(status))
