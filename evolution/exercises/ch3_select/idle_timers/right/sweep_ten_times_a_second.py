import select
import time

IDLE = 1.0


def serve(listener):
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    clients, heard = {}, {}
    while True:
        for fd, _ in poller.poll(100):
            if fd == listener.fileno():
                conn, _ = listener.accept()
                clients[conn.fileno()], heard[conn.fileno()] = conn, time.monotonic()
                poller.register(conn, select.POLLIN)
                continue
            try:
                data = clients[fd].recv(4096)
                clients[fd].sendall(data)
            except OSError:
                data = b""
            heard[fd] = time.monotonic() if data else 0
        for fd in [fd for fd in heard if time.monotonic() - heard[fd] > IDLE]:
            poller.unregister(fd)
            clients.pop(fd).close()
            del heard[fd]
