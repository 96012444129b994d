import os


def serve(listener, start, record):
    children = []
    while True:
        conn, _ = listener.accept()
        children.append(start(conn))
        conn.close()
