LIMIT = 8192
rest = {}


def read_line(conn):
    buffer = rest.get(conn, b"")
    while b"\n" not in buffer:
        buffer += conn.recv(2048)
        if len(buffer) > LIMIT:
            raise ValueError("too long")
    line, rest[conn] = buffer.split(b"\n", 1)
    return line
