import os


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        pid = os.fork()
        if pid == 0:
            try:
                listener.close()
                talk(conn)
            finally:
                os._exit(0)
        conn.close()
        os.waitpid(pid, 0)
