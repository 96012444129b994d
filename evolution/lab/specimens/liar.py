"""A server that says `Connection: keep-alive` and closes: how many tutorials do it. Wrong on purpose."""

import socket

LIE = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 12\r\n\r\nhello world!"

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        conn, _ = listener.accept()
        conn.recv(65536)
        conn.sendall(LIE)
        conn.close()
