import select

LIMIT = 262144


def serve(listener):
    listener.setblocking(False)
    watched = [listener]
    while True:
        readable, _, _ = select.select(watched, [], [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                watched.append(conn)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.send(data)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                watched.remove(sock)
                sock.close()
