def serve(conn, on_message, on_close):
    while conn.fileno() >= 0:
        data = conn.recv(4096)
        if not data:
            break
        on_message(conn, data)
    conn.close()
    on_close(conn)
