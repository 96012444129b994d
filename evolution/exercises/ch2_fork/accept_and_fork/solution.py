import os


def serve(listener, talk):
    """For ever: accept a client, and let a child of its own talk to it."""
    while True:
        conn, _ = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                talk(conn)
            finally:
                os._exit(0)  # whatever happened: never back into the parent's loop
        conn.close()
