import selectors


def serve(listener):
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, events in selector.select():
            if key.fileobj is listener:
                conn, _ = listener.accept()
                conn.setblocking(False)
                selector.register(conn, selectors.EVENT_READ, b"")
            else:
                step(selector, key)


def step(selector, key):
    """A client is watched for input, or, while bytes are left over, for room."""
    conn, data = key.fileobj, key.data
    try:
        data = data or conn.recv(16384)
        if data:
            data = data[conn.send(data) :]
            selector.modify(conn, selectors.EVENT_WRITE if data else selectors.EVENT_READ, data)
            return
    except BlockingIOError:
        selector.modify(conn, selectors.EVENT_WRITE if data else selectors.EVENT_READ, data)
        return
    except OSError:
        pass
    selector.unregister(conn)
    conn.close()
