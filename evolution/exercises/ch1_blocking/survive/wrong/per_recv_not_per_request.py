DEADLINE = 1.0


def serve(listener):
    while True:
        conn, _ = listener.accept()
        conn.settimeout(DEADLINE)
        try:
            line = b""
            while not line.endswith(b"\n"):
                data = conn.recv(1024)
                if not data:
                    break
                line += data
            else:
                conn.sendall(b"hello " + line)
        except OSError:
            pass
        conn.close()
