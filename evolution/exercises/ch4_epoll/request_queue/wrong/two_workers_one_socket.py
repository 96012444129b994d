import queue
import select
import threading

WORKERS = 4


def serve(listener, handle):
    epoll, requests, connections = select.epoll(), queue.SimpleQueue(), {}
    epoll.register(listener, select.EPOLLIN)
    for _ in range(WORKERS):
        threading.Thread(target=work, args=(requests, connections, handle), daemon=True).start()
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                conn.setblocking(False)
                connections[conn.fileno()] = conn
                epoll.register(conn, select.EPOLLIN)
            elif fd in connections:
                requests.put(connections[fd])


def work(requests, connections, handle):
    while True:
        conn = requests.get()
        try:
            data = conn.recv(4096)
        except OSError:  # another worker was here first
            continue
        if data:
            conn.sendall(handle(conn, data))
        elif connections.pop(conn.fileno(), None):
            conn.close()
