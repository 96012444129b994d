from weakref import WeakKeyDictionary

LIMIT = 8192

rest_of = WeakKeyDictionary()  # what came too early, for each connection


def read_line(conn):
    """Return the next line from conn as bytes, without b"\n"; None at the end of the stream.

    Raises ValueError when the line, without its newline, is longer than LIMIT bytes.
    """
    rest = rest_of.get(conn, b"")
    while b"\n" not in rest:
        if len(rest) > LIMIT:
            raise ValueError("line too long")
        data = conn.recv(4096)  # sleeps here
        if not data:
            return None
        rest += data
    line, _, rest_of[conn] = rest.partition(b"\n")
    if len(line) > LIMIT:
        raise ValueError("line too long")
    return line + b"\n"
