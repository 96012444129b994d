import select


def serve(listener):
    while True:
        readable, _, _ = select.select([listener], [], [])
        if readable:
            conn, _ = listener.accept()
            try:
                while True:
                    data = conn.recv(65536)
                    if not data:
                        break
                    conn.sendall(data)
            except OSError:
                pass
            conn.close()
