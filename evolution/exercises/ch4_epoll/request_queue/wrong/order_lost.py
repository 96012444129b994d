import queue
import select
import threading

WORKERS = 4


def serve(listener, handle):
    """The loop reads; the workers get bytes, not sockets."""
    epoll, requests, connections = select.epoll(), queue.SimpleQueue(), {}
    epoll.register(listener, select.EPOLLIN)
    for _ in range(WORKERS):
        threading.Thread(target=work, args=(requests, handle), daemon=True).start()
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                connections[conn.fileno()] = conn
                epoll.register(conn, select.EPOLLIN)
                continue
            data = connections[fd].recv(4096)
            if data:
                requests.put((connections[fd], data))
            else:
                connections.pop(fd).close()


def work(requests, handle):
    while True:
        conn, data = requests.get()
        conn.sendall(handle(conn, data))
