import os
import signal


def serve(listener, start, record):
    """For ever: accept clients, start(conn) a child for each, and record(pid, code) each child's end."""
    while True:
        conn, _ = listener.accept()
        pid = start(conn)  # forks; the child talks to the client and ends
        conn.close()
