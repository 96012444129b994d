import queue
import select
import threading

WORKERS = 4
READ = select.EPOLLIN | select.EPOLLONESHOT


def serve(listener, handle):
    """One thread waits, WORKERS threads work. handle(conn, data) returns what is to be sent back."""
    epoll, requests, connections = select.epoll(), queue.SimpleQueue(), {}
    epoll.register(listener, select.EPOLLIN)
    for _ in range(WORKERS):
        threading.Thread(target=work, args=(epoll, requests, connections, handle), daemon=True).start()
    while True:
        for fd, _ in epoll.poll():  # sleeps here
            if fd == listener.fileno():
                conn, _ = listener.accept()
                connections[conn.fileno()] = conn
                epoll.register(conn, READ)
            else:
                requests.put(connections[fd])


def work(epoll, requests, connections, handle):
    while True:
        conn = requests.get()  # sleeps here
        try:
            data = conn.recv(4096)
            if data:
                conn.sendall(handle(conn, data))
        except OSError:  # a reset
            data = b""
        if data:
            epoll.modify(conn, READ)  # only now may it be reported again
        else:
            del connections[conn.fileno()]  # while the number is still ours
            conn.close()
