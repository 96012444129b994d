import os


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                talk(conn)
            finally:
                os._exit(0)
