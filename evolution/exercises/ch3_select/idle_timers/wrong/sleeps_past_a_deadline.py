import select
import time

IDLE = 1.0


def serve(listener):
    heard = {}
    while True:
        readable, _, _ = select.select([listener, *heard], [], [], IDLE)
        for sock in readable:
            if sock is listener:
                conn, _ = listener.accept()
                heard[conn] = time.monotonic()
                continue
            try:
                data = sock.recv(65536)
                sock.sendall(data)
            except OSError:
                data = b""
            if data:
                heard[sock] = time.monotonic()
            else:
                del heard[sock]
                sock.close()
        for sock in [each for each in heard if time.monotonic() - heard[each] > IDLE]:
            del heard[sock]
            sock.close()
