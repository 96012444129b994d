import os


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            talk(conn)
            os._exit(0)
        conn.close()
