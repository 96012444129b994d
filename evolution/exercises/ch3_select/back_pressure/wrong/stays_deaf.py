import select

LIMIT = 262144


def serve(listener):
    listener.setblocking(False)
    readers, writers, unsent = [listener], [], {}
    while True:
        readable, writable, _ = select.select(readers, writers, [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                readers.append(conn)
                unsent[conn] = b""
                continue
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if not data:
                readers.remove(sock)
                if sock in writers:
                    writers.remove(sock)
                sock.close()
                continue
            unsent[sock] += data
            if sock not in writers:
                writers.append(sock)
            if len(unsent[sock]) >= LIMIT:
                readers.remove(sock)
        for sock in writable:
            if sock.fileno() >= 0:
                try:
                    unsent[sock] = unsent[sock][sock.send(unsent[sock]) :]
                except OSError:
                    unsent[sock] = b""
                if not unsent[sock]:
                    writers.remove(sock)
