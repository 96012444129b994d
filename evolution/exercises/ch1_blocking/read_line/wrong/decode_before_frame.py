LIMIT = 8192
rest = {}


def read_line(conn):
    text = rest.get(conn, "")
    while "\n" not in text:
        data = conn.recv(4096).decode()
        if not data:
            return None
        text += data
        if len(text) > LIMIT + 1:
            raise ValueError("too long")
    line, _, rest[conn] = text.partition("\n")
    return line.encode()
