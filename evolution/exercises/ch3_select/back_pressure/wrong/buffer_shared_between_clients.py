import select

LIMIT = 262144


def serve(listener):
    listener.setblocking(False)
    clients, unsent = [], b""
    while True:
        reading = clients if len(unsent) < LIMIT else []
        readable, writable, _ = select.select([listener, *reading], clients if unsent else [], [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                clients.append(conn)
                continue
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                unsent += data
            else:
                clients.remove(sock)
                sock.close()
        for sock in writable:
            if sock in clients and unsent:
                try:
                    unsent = unsent[sock.send(unsent) :]
                except BlockingIOError:
                    pass
                except OSError:
                    clients.remove(sock)
                    sock.close()
