LIMIT = 8192
rest_of = {}


def read_line(conn):
    rest = rest_of.pop(conn, b"")
    while b"\n" not in rest:
        if len(rest) > LIMIT:
            raise ValueError("line too long")
        data = conn.recv(4096)
        if not data:
            return None
        rest += data
    line, _, rest_of[conn] = rest.partition(b"\n")
    return line
