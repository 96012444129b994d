import select

LIMIT = 262144


def serve(listener):
    listener.setblocking(False)
    unsent = {}
    while True:
        reading = [listener] + [sock for sock in unsent if len(unsent[sock]) < LIMIT]
        writing = [sock for sock in unsent if unsent[sock]]
        readable, writable, _ = select.select(reading, writing, [])
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                unsent[conn] = b""
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
                    sock.sendall(unsent[sock])
                    unsent[sock] = b""
                except OSError:
                    del unsent[sock]
                    sock.close()
