import os


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        conn.close()
        if os.fork() == 0:
            try:
                talk(conn)
            finally:
                os._exit(0)
