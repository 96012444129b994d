DEADLINE = 1.0


def serve(listener):
    """Answer one client after the other, for ever: a line comes in, b"hello " and that line go out."""
    while True:
        conn, _ = listener.accept()
        line = b""
        while not line.endswith(b"\n"):
            data = conn.recv(1024)
            if not data:
                break
            line += data
        else:
            conn.sendall(b"hello " + line)
        conn.close()
