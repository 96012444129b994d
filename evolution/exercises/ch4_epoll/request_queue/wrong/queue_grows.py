import queue
import select
import threading


def serve(listener, handle):
    """A lock for each connection: no two workers are ever in one."""
    epoll, requests, connections = select.epoll(), queue.SimpleQueue(), {}
    epoll.register(listener, select.EPOLLIN)
    for _ in range(4):
        threading.Thread(target=work, args=(epoll, requests, connections, handle), daemon=True).start()
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                conn, _ = listener.accept()
                conn.setblocking(False)
                connections[conn.fileno()] = (conn, threading.Lock())
                epoll.register(conn, select.EPOLLIN)
            elif fd in connections:
                requests.put(connections[fd])


def work(epoll, requests, connections, handle):
    while True:
        conn, lock = requests.get()
        if not lock.acquire(blocking=False):
            continue
        try:
            data = conn.recv(4096)
            if data:
                conn.sendall(handle(conn, data))
            else:
                epoll.unregister(conn)
                del connections[conn.fileno()]
                conn.close()
        except OSError:
            pass
        finally:
            lock.release()
