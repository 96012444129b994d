"""A select loop with 20 descriptors, which goes on calling accept when they are used up. Wrong on purpose."""

import resource
import select
import socket

resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    watched = [listener]
    while True:
        for sock in select.select(watched, [], [])[0]:
            try:
                if sock is listener:
                    watched.append(listener.accept()[0])
                elif sock.recv(65536):
                    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello world!\n")
                else:
                    watched.remove(sock)
                    sock.close()
            except OSError:  # EMFILE among others: too many open files
                continue
