import os


def serve(listener, talk):
    """Fork twice, so that nobody has to wait for the one who talks."""
    while True:
        conn, _ = listener.accept()
        child = os.fork()
        if child == 0:
            try:
                if os.fork() == 0:
                    listener.close()
                    talk(conn)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        conn.close()
