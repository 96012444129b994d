import select


def serve(listener):
    clients = []
    while True:
        try:
            readable, _, _ = select.select([listener, *clients], [], [])
        except ValueError:
            continue
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                clients.append(conn)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
            except OSError:
                data = b""
            if not data:
                clients.remove(sock)
                sock.close()
