def serve(conn, on_message, on_close):
    try:
        while conn.fileno() >= 0:
            data = conn.recv(4096)
            if not data:
                break
            on_message(conn, data)
    except OSError:
        on_close(conn)
    finally:
        conn.close()
        on_close(conn)
