pending = {}


def read_line(conn):
    conn.settimeout(0.3)
    buffer = pending.pop(conn, b"")
    while b"\n" not in buffer:
        try:
            data = conn.recv(1024)
        except TimeoutError:
            if buffer:
                return buffer  # it went quiet, so that was it
            continue
        if not data:
            return None
        buffer += data
        if len(buffer) > 8192:
            raise ValueError("too long")
    line, _, pending[conn] = buffer.partition(b"\n")
    return line
