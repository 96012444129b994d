import select
import time

DEADLINE = 1.0


def read_in_time(conn):
    begin, line = time.monotonic(), b""
    while not line.endswith(b"\n"):
        patience = begin + DEADLINE - time.monotonic()
        ready, _, _ = select.select([conn], [], [], max(0, patience))
        if not ready:
            return None
        data = conn.recv(512)
        if not data:
            return None
        line += data
    return line


def serve(listener):
    while True:
        conn, peer = listener.accept()
        with conn:
            try:
                line = read_in_time(conn)
                if line:
                    conn.sendall(b"hello " + line)
            except ConnectionError:
                continue
