import select


def serve(listener):
    """Send back to each client what it says, for ever; when descriptors run out, go on with those who are in."""
    listener.setblocking(False)
    watched = [listener]
    while True:
        readable, _, _ = select.select(watched, [], [])  # sleeps here
        for sock in readable:
            if sock is listener:
                accept(listener, watched)
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
                if listener not in watched:  # there is room again
                    watched.append(listener)


def accept(listener, watched):
    try:
        conn, _ = listener.accept()
    except BlockingIOError:
        return
    except OSError:  # no descriptor is left: do not ask again before somebody has gone
        watched.remove(listener)
        return
    watched.append(conn)
