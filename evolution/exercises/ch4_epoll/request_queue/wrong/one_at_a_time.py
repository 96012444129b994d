import queue
import select
import threading

READ = select.EPOLLIN | select.EPOLLONESHOT
lock = threading.Lock()


def serve(listener, handle):
    epoll, requests, connections = select.epoll(), queue.Queue(), {}
    epoll.register(listener, select.EPOLLIN)
    for _ in range(4):
        threading.Thread(target=work, args=(epoll, requests, connections, handle), daemon=True).start()
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                connections[conn.fileno()] = conn
                epoll.register(conn, READ)
            else:
                requests.put(connections[fd])


def work(epoll, requests, connections, handle):
    while True:
        conn = requests.get()
        with lock:  # nothing can go wrong in here
            data = conn.recv(4096)
            if data:
                conn.sendall(handle(conn, data))
                epoll.modify(conn, READ)
            else:
                del connections[conn.fileno()]
                conn.close()
