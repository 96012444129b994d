"""A select loop that makes the listener non-blocking, and means its clients. Wrong on purpose."""

import select
import socket

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
BIG, SMALL = bytes(32 << 20), b"hello world!\n"

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    watched = [listener]
    while True:
        for sock in select.select(watched, [], [])[0]:
            if sock is listener:
                conn, _ = listener.accept()
                listener.setblocking(False)  # "make this socket non-blocking": which one?
                watched.append(conn)
                continue
            try:
                if request := sock.recv(65536):
                    body = BIG if request.startswith(b"GET /big") else SMALL
                    sock.sendall(HEAD % len(body) + body)  # sleeps here, while this client does not read
            except OSError:
                pass
            watched.remove(sock)
            sock.close()
