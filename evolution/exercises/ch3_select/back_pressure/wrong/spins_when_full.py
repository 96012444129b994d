import select

LIMIT = 262144


def serve(listener):
    listener.setblocking(False)
    unsent = {}
    while True:
        writing = [sock for sock in unsent if unsent[sock]]
        readable, writable, _ = select.select([listener, *unsent], writing, [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                unsent[conn] = b""
                continue
            if len(unsent[sock]) >= LIMIT:
                continue
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                unsent[sock] += data
            else:
                del unsent[sock]
                sock.close()
        for sock in writable:
            if sock in unsent:
                try:
                    unsent[sock] = unsent[sock][sock.send(unsent[sock]) :]
                except BlockingIOError:
                    pass
                except OSError:
                    del unsent[sock]
                    sock.close()
