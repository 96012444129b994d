import select


def serve(listener):
    listener.setblocking(False)
    unsent = {}
    while True:
        reading = [listener] + [sock for sock in unsent if not unsent[sock]]
        writing = [sock for sock in unsent if unsent[sock]]
        readable, writable, _ = select.select(reading, writing, [], 0.5)
        for sock in set(readable + writable):
            if sock is listener:
                conn, _ = sock.accept()
                conn.setblocking(False)
                unsent[conn] = b""
                continue
            try:
                if unsent[sock]:
                    unsent[sock] = unsent[sock][sock.send(unsent[sock]) :]
                    continue
                data = sock.recv(8192)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if data:
                unsent[sock] = data
            else:
                del unsent[sock]
                sock.close()
