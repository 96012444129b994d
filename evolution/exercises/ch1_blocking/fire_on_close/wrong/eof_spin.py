def serve(conn, on_message, on_close):
    while conn.fileno() >= 0:
        try:
            data = conn.recv(4096)
        except ConnectionResetError:
            break
        if data:
            on_message(conn, data)
    conn.close()
    on_close(conn)
