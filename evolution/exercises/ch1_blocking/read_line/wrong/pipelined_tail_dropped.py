LIMIT = 8192


def read_line(conn):
    buffer = b""
    while b"\n" not in buffer:
        if len(buffer) > LIMIT:
            raise ValueError("too long")
        data = conn.recv(1024)
        if not data:
            return None
        buffer += data
    return buffer.split(b"\n")[0]
