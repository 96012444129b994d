import time

DEADLINE = 1.0


def serve(listener):
    """Answer one client after the other, for ever: a line comes in, b"hello " and that line go out."""
    while True:
        conn, _ = listener.accept()
        deadline = time.monotonic() + DEADLINE
        try:
            answer(conn, deadline)
        except OSError:  # TimeoutError is one, a reset is another
            pass
        conn.close()


def answer(conn, deadline):
    line = b""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            return
        conn.settimeout(left)
        data = conn.recv(1024)  # sleeps here, and no longer than what is left
        if not data:
            return
        line += data
    conn.sendall(b"hello " + line)
