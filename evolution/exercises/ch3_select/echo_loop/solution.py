import select


def serve(listener):
    """Send back to each client what it says, for ever; one process, one thread, many clients."""
    watched = [listener]
    while True:
        readable, _, _ = select.select(watched, [], [])  # sleeps here, for all of them
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                watched.append(conn)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
            except OSError:  # the client has reset the connection
                data = b""
            if not data:
                watched.remove(sock)
                sock.close()
