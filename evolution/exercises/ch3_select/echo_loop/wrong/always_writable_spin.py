import select


def serve(listener):
    clients = {}
    while True:
        readable, writable, _ = select.select([listener, *clients], list(clients), [])
        if listener in readable:
            conn, _ = listener.accept()
            clients[conn] = b""
            readable.remove(listener)
        for sock in readable:
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                clients[sock] += data
            else:
                del clients[sock]
                sock.close()
        for sock in writable:
            if sock in clients and clients[sock]:
                sock.sendall(clients[sock])
                clients[sock] = b""
