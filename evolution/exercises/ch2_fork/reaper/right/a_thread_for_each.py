import os
import threading


def serve(listener, start, record):
    """Accept clients, start a child for each, and record how each one has ended."""
    while True:
        conn, _ = listener.accept()
        pid = start(conn)
        conn.close()
        threading.Thread(target=bury, args=(pid, record), daemon=True).start()


def bury(pid, record):
    _, status = os.waitpid(pid, 0)
    record(pid, os.waitstatus_to_exitcode(status))
