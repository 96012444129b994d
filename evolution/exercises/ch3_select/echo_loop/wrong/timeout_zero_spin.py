import select


def serve(listener):
    watched = [listener]
    while True:
        readable, _, _ = select.select(watched, [], [], 0)
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                watched.append(conn)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
            except OSError:
                data = b""
            if not data:
                watched.remove(sock)
                sock.close()
