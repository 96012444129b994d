def serve(conn, on_message, on_close):
    while True:
        try:
            data = conn.recv(4096)
        except ConnectionResetError:
            data = b""
        if not data:
            conn.close()
            on_close(conn)
            return
        on_message(conn, data)
