LIMIT = 8192
rest = {}


def read_line(conn):
    buffer = rest.get(conn, b"")
    while b"\n" not in buffer:
        if len(buffer) > LIMIT:
            raise ValueError("too long")
        data = conn.recv(4096)
        if not data:
            return b""
        buffer += data
    line, _, rest[conn] = buffer.partition(b"\n")
    return line
