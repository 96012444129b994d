import signal


def serve(listener, start, record):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
