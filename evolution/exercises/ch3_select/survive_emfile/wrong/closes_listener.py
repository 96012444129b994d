import select


def serve(listener):
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


def accept(listener, watched):
    try:
        conn, _ = listener.accept()
    except BlockingIOError:
        return
    except OSError:
        watched.remove(listener)
        listener.close()
        return
    watched.append(conn)
