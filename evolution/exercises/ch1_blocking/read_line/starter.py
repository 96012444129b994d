LIMIT = 8192


def read_line(conn):
    """Return the next line from conn as bytes, without b"\n"; None at the end of the stream.

    Raises ValueError when the line, without its newline, is longer than LIMIT bytes.
    """
    ...
