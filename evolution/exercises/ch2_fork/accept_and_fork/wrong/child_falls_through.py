import os


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        if os.fork() == 0:
            talk(conn)
        conn.close()
