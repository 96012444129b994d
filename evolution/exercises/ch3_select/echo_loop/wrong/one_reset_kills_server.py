import select


def serve(listener):
    watched = [listener]
    while True:
        readable, _, _ = select.select(watched, [], [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                watched.append(conn)
            else:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
                else:
                    watched.remove(sock)
                    sock.close()
