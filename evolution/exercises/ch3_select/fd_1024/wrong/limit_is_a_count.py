import select

MOST = 500


def serve(listener):
    clients = []
    while True:
        readable = []
        for start in range(0, len(clients) + 1, MOST):
            part = [listener, *clients][start : start + MOST]
            readable += select.select(part, [], [], 0.1)[0]
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
