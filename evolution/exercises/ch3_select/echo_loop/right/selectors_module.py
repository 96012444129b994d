import selectors


def serve(listener):
    selector = selectors.DefaultSelector()
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ, accept)
    while True:
        for key, _ in selector.select():
            key.data(selector, key.fileobj)


def accept(selector, listener):
    try:
        conn, _ = listener.accept()
    except BlockingIOError:
        return
    conn.setblocking(False)
    selector.register(conn, selectors.EVENT_READ, echo)


def echo(selector, conn):
    try:
        data = conn.recv(4096)
        if data:
            conn.send(data)
            return
    except BlockingIOError:
        return
    except OSError:
        pass
    selector.unregister(conn)
    conn.close()
