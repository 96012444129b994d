rest = {}


def read_line(conn):
    buffer = rest.pop(conn, b"")
    while b"\n" not in buffer:
        data = conn.recv(4096)
        if not data:
            return None
        buffer += data
    line, _, rest[conn] = buffer.partition(b"\n")
    return line
