import select
import time


def serve(listener):
    listener.setblocking(False)
    clients, again = [], 0.0
    while True:
        pause = again - time.monotonic()
        watched = clients if pause > 0 else [listener, *clients]
        readable, _, _ = select.select(watched, [], [], pause if pause > 0 else None)
        for sock in readable:
            if sock is listener:
                try:
                    clients.append(listener.accept()[0])
                except OSError:
                    again = time.monotonic() + 0.2
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
