import heapq
import selectors
import time
from itertools import count

IDLE = 1.0


def serve(listener):
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    timers, valid, number = [], {}, count()

    def restart(conn):
        entry = (time.monotonic() + IDLE, next(number), conn)
        valid[conn] = entry[1]
        heapq.heappush(timers, entry)

    def drop(conn):
        del valid[conn]
        selector.unregister(conn)
        conn.close()

    while True:
        timeout = max(0, timers[0][0] - time.monotonic()) if timers else None
        for key, _ in selector.select(timeout):
            if key.fileobj is listener:
                conn, _ = listener.accept()
                selector.register(conn, selectors.EVENT_READ)
                restart(conn)
                continue
            try:
                data = key.fileobj.recv(65536)
                key.fileobj.sendall(data)
            except OSError:
                data = b""
            restart(key.fileobj) if data else drop(key.fileobj)
        while timers and timers[0][0] <= time.monotonic():
            _, mark, conn = heapq.heappop(timers)
            if valid.get(conn) == mark:
                drop(conn)
