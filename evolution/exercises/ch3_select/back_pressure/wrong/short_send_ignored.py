import select

LIMIT = 262144


def serve(listener):
    """Waits for room, as it should, and does not ask how much of it there was."""
    listener.setblocking(False)
    rest = {}
    while True:
        reading = [listener] + [sock for sock in rest if not rest[sock]]
        writing = [sock for sock in rest if rest[sock]]
        readable, writable, _ = select.select(reading, writing, [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                rest[conn] = b""
                continue
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                rest[sock] = data
            else:
                del rest[sock]
                sock.close()
        for sock in writable:
            sock.send(rest[sock])
            rest[sock] = b""
