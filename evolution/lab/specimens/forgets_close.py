"""A server whose close has been commented out. Does it leak? Wrong on purpose."""

import socket

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world!"

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        conn, _ = listener.accept()
        conn.recv(65536)
        conn.sendall(ANSWER)
        # conn.close()
