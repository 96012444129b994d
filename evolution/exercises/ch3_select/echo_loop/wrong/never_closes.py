import select


def serve(listener):
    watched = [listener]
    names = {}
    while True:
        readable, _, _ = select.select(watched, [], [])
        for sock in readable:
            if sock is listener:
                conn, address = listener.accept()
                names[conn] = address
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
