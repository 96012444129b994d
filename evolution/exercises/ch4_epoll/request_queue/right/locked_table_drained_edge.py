import queue
import select
import threading

WORKERS = 4
EDGE = select.EPOLLIN | select.EPOLLET | select.EPOLLONESHOT
table, lock = {}, threading.Lock()


def worker(poller, jobs, handle):
    while (sock := jobs.get()) is not None:
        alive = True
        try:
            while data := sock.recv(512):
                sock.setblocking(True)
                sock.sendall(handle(sock, data))
                sock.setblocking(False)
            alive = False
        except BlockingIOError:
            pass
        except OSError:
            alive = False
        with lock:
            if alive:
                poller.modify(sock.fileno(), EDGE)
            else:
                poller.unregister(sock.fileno())
                fd = sock.fileno()
                sock.close()
                table.pop(fd)


def serve(listener, handle):
    poller, jobs = select.epoll(), queue.Queue()
    poller.register(listener.fileno(), select.EPOLLIN)
    for number in range(WORKERS):
        threading.Thread(target=worker, args=(poller, jobs, handle), name=f"w{number}", daemon=True).start()
    while True:
        for fd, event in poller.poll():
            if fd == listener.fileno():
                with lock:
                    sock, _ = listener.accept()
                    sock.setblocking(False)
                    table[sock.fileno()] = sock
                    poller.register(sock.fileno(), EDGE)
            else:
                with lock:
                    sock = table.get(fd)
                if sock:
                    jobs.put(sock)
