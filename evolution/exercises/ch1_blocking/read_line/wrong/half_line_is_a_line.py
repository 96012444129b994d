LIMIT = 8192
files = {}


def read_line(conn):
    if conn not in files:
        files[conn] = conn.makefile("rb")
    line = files[conn].readline(LIMIT + 2)
    if not line:
        return None
    line = line.removesuffix(b"\n")
    if len(line) > LIMIT:
        raise ValueError("too long")
    return line
