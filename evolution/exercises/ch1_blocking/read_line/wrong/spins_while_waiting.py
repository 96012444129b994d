LIMIT = 8192
rest_of = {}


def read_line(conn):
    conn.setblocking(False)
    rest = rest_of.pop(conn, b"")
    while b"\n" not in rest:
        if len(rest) > LIMIT:
            raise ValueError("line too long")
        try:
            data = conn.recv(4096)
        except BlockingIOError:
            continue
        if not data:
            return None
        rest += data
    line, _, rest_of[conn] = rest.partition(b"\n")
    if len(line) > LIMIT:
        raise ValueError("line too long")
    return line
