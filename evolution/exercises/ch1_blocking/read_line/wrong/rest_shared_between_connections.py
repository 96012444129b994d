LIMIT = 8192
rest = b""


def read_line(conn):
    global rest
    while b"\n" not in rest:
        if len(rest) > LIMIT:
            rest = b""
            raise ValueError("too long")
        data = conn.recv(4096)
        if not data:
            return None
        rest += data
    line, _, rest = rest.partition(b"\n")
    if len(line) > LIMIT:
        raise ValueError("too long")
    return line
