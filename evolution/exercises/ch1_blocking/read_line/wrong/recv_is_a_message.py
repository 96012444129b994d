def read_line(conn):
    data = conn.recv(4096)
    if not data:
        return None
    return data.rstrip(b"\n")
