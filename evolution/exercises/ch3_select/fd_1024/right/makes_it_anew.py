from select import POLLIN, poll


def serve(listener):
    clients = {}
    while True:
        poller = poll()
        poller.register(listener, POLLIN)
        for fd in clients:
            poller.register(fd, POLLIN)
        for fd, what in poller.poll(500):
            if fd == listener.fileno():
                conn, _ = listener.accept()
                clients[conn.fileno()] = conn
                continue
            try:
                data = clients[fd].recv(65536)
                if data:
                    clients[fd].sendall(data)
            except OSError:
                data = b""
            if not data:
                clients.pop(fd).close()
