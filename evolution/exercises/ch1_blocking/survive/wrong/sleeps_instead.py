import time

DEADLINE = 1.0


def serve(listener):
    while True:
        conn, _ = listener.accept()
        time.sleep(DEADLINE)
        conn.setblocking(False)
        try:
            line = conn.recv(1024)
            if line.endswith(b"\n"):
                conn.sendall(b"hello " + line)
        except OSError:
            pass
        conn.close()
