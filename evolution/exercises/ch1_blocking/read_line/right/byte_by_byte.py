LIMIT = 8192


def read_line(conn):
    """One system call a byte: slow, and nothing can come too early."""
    line = bytearray()
    while True:
        byte = conn.recv(1)
        if byte == b"":
            return None
        if byte == b"\n":
            return bytes(line)
        line += byte
        if len(line) > LIMIT:
            raise ValueError(f"more than {LIMIT} bytes without a newline")
