import resource
import select


def serve(listener):
    listener.setblocking(False)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 6
    clients = []
    while True:
        watched = [listener, *clients] if len(clients) < most else clients
        readable, _, _ = select.select(watched, [], [], 1.0)
        for sock in readable:
            if sock is listener:
                clients.append(listener.accept()[0])
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
