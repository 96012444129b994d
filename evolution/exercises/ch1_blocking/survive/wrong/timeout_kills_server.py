import time

DEADLINE = 1.0


def serve(listener):
    while True:
        conn, _ = listener.accept()
        end = time.monotonic() + DEADLINE
        line = b""
        while not line.endswith(b"\n"):
            conn.settimeout(max(0.001, end - time.monotonic()))
            data = conn.recv(1024)
            if not data:
                break
            line += data
        else:
            conn.sendall(b"hello " + line)
        conn.close()
