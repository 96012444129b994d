import select
import time

IDLE = 1.0


def serve(listener):
    heard = {}
    while True:
        readable, _, _ = select.select([listener, *heard], [], [], 0.1)
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                heard[conn] = time.time()
                continue
            try:
                data = sock.recv(65536)
                sock.sendall(data)
            except OSError:
                data = b""
            if data:
                heard[sock] = time.time()
            else:
                del heard[sock]
                sock.close()
        for sock in [each for each in heard if time.time() - heard[each] > IDLE]:
            del heard[sock]
            sock.close()
