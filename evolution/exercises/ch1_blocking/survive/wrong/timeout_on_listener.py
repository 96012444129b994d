DEADLINE = 1.0


def serve(listener):
    listener.settimeout(DEADLINE)
    while True:
        conn, _ = listener.accept()
        line = b""
        while not line.endswith(b"\n"):
            data = conn.recv(1024)
            if not data:
                break
            line += data
        else:
            conn.sendall(b"hello " + line)
        conn.close()
