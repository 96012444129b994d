import contextlib


def serve(conn, on_message, on_close):
    alive = True
    with contextlib.closing(conn):
        while alive:
            try:
                data = conn.recv(65536)
                if data:
                    on_message(conn, data)
                alive = bool(data) and conn.fileno() != -1
            except (ConnectionResetError, BrokenPipeError):
                alive = False
    on_close(conn)
