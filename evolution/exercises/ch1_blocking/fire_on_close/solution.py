def serve(conn, on_message, on_close):
    """Serve one connection until it is over, however that happens; then call on_close(conn), once."""
    try:
        while conn.fileno() >= 0:  # the handler may have closed it
            data = conn.recv(4096)
            if not data:
                break
            on_message(conn, data)
    except OSError:  # a reset, or nobody there to send to
        pass
    conn.close()
    on_close(conn)
