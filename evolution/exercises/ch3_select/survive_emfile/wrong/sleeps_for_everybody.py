import select
import time


def serve(listener):
    watched = [listener]
    while True:
        for sock in select.select(watched, [], [])[0]:
            if sock is listener:
                try:
                    watched.append(listener.accept()[0])
                except OSError as error:
                    print(error)
                    time.sleep(0.1)
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
