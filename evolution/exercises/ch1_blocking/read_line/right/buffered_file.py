LIMIT = 8192

files = {}


def read_line(conn):
    """Let Python's own buffered reader keep the rest."""
    if conn not in files:
        files[conn] = conn.makefile("rb")
    line = files[conn].readline(LIMIT + 1)
    if line.endswith(b"\n"):
        return line[:-1]
    if len(line) > LIMIT:
        raise ValueError("too long")
    return None
