import collections
import queue
import select
import threading

WORKERS = 4


class Client:
    def __init__(self, conn):
        self.conn, self.pieces, self.lock, self.busy = conn, collections.deque(), threading.Lock(), False


def serve(listener, handle):
    """The loop reads; each client has a queue of its own, and at most one worker."""
    epoll, ready, clients = select.epoll(), queue.SimpleQueue(), {}
    epoll.register(listener, select.EPOLLIN)
    for _ in range(WORKERS):
        threading.Thread(target=work, args=(ready, handle), daemon=True).start()
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                clients[conn.fileno()] = Client(conn)
                epoll.register(conn, select.EPOLLIN)
                continue
            client = clients[fd]
            try:
                data = client.conn.recv(4096)
            except OSError:
                data = b""
            if not data:
                epoll.unregister(fd)
                del clients[fd]
            with client.lock:
                client.pieces.append(data)
                if not client.busy:
                    client.busy = True
                    ready.put(client)


def work(ready, handle):
    while True:
        client = ready.get()
        while True:
            with client.lock:
                if not client.pieces:
                    client.busy = False
                    break
                data = client.pieces.popleft()
            if data:
                client.conn.sendall(handle(client.conn, data))
            else:
                client.conn.close()
