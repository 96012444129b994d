import select

IDLE = 1.0


def serve(listener):
    heard = {}
    while True:
        readable, _, _ = select.select([listener, *heard], [], [], IDLE)
        if not readable:
            for sock in list(heard):
                del heard[sock]
                sock.close()
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                heard[conn] = True
                continue
            try:
                data = sock.recv(65536)
                sock.sendall(data)
            except OSError:
                data = b""
            if data:
                heard[sock] = True
            else:
                del heard[sock]
                sock.close()
