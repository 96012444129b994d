def serve(listener):
    while True:
        conn, _ = listener.accept()
        with conn, conn.makefile("rb") as lines:
            line = lines.readline()
            if line.endswith(b"\n"):
                conn.sendall(b"hello " + line)
