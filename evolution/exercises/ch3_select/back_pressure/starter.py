import select

LIMIT = 262_144  # bytes of one client that may wait with you: read, and not sent back yet


def serve(listener):
    """Send back to each client what it says, for ever; a client that does not read harms nobody."""
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
