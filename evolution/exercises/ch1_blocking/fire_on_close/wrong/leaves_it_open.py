def serve(conn, on_message, on_close):
    try:
        while data := conn.recv(4096):
            on_message(conn, data)
            if conn.fileno() < 0:
                break
    except ConnectionResetError:
        pass
    on_close(conn)
