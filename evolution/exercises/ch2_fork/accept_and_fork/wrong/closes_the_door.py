import os


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        if os.fork() == 0:
            try:
                talk(conn)
            finally:
                os._exit(0)
        conn.close()
        listener.close()
