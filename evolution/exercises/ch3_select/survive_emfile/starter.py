import select


def serve(listener):
    """Send back to each client what it says, for ever; when descriptors run out, go on with those who are in."""
    listener.setblocking(False)
    watched = [listener]
    while True:
        readable, _, _ = select.select(watched, [], [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
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
                sock.close()
