def chunks(conn):
    while True:
        try:
            data = conn.recv(1024)
        except OSError:
            return
        if data == b"":
            return
        yield data


def serve(conn, on_message, on_close):
    try:
        for data in chunks(conn):
            try:
                on_message(conn, data)
            except ConnectionError:
                break
    finally:
        conn.close()
        on_close(conn)
