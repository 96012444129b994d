def serve(conn, on_message, on_close):
    with conn:
        while True:
            try:
                data = conn.recv(4096)
            except OSError:
                break
            if not data:
                break
            on_message(conn, data)
