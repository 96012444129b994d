import time


def serve(listener):
    listener.setblocking(False)
    clients = []
    while True:
        try:
            conn, _ = listener.accept()
            conn.setblocking(False)
            clients.append(conn)
        except BlockingIOError:
            pass
        for conn in list(clients):
            try:
                data = conn.recv(65536)
                if data:
                    conn.sendall(data)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                clients.remove(conn)
                conn.close()
        time.sleep(0.005)
