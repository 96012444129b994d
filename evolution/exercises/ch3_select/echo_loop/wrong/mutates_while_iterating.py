import select


def serve(listener):
    clients = set()
    while True:
        readable, _, _ = select.select([listener, *clients], [], [])
        if listener in readable:
            conn, _ = listener.accept()
            clients.add(conn)
        for sock in clients:
            if sock in readable:
                try:
                    data = sock.recv(65536)
                    sock.sendall(data)
                except OSError:
                    data = b""
                if not data:
                    clients.remove(sock)
                    sock.close()
