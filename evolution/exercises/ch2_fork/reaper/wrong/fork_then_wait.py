import os


def serve(listener, start, record):
    while True:
        conn, _ = listener.accept()
        pid = start(conn)
        conn.close()
        _, status = os.waitpid(pid, 0)
        record(pid, os.waitstatus_to_exitcode(status))
