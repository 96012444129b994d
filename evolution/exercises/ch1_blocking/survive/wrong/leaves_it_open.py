import time

DEADLINE = 1.0
clients = []


def serve(listener):
    while True:
        conn, _ = listener.accept()
        clients.append(conn)
        try:
            line = request(conn)
        except OSError:
            continue
        if line:
            conn.sendall(b"hello " + line)
        conn.close()


def request(conn):
    end = time.monotonic() + DEADLINE
    line = b""
    while not line.endswith(b"\n"):
        conn.settimeout(max(0.001, end - time.monotonic()))
        data = conn.recv(1024)
        if not data:
            return None
        line += data
    return line
