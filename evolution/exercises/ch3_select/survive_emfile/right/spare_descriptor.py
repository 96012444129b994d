import errno
import os
import selectors


def serve(listener):
    """The trick of libev: keep one descriptor in reserve, to turn a client away with it."""
    spare = os.open(os.devnull, os.O_RDONLY)
    listener.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            sock = key.fileobj
            if sock is listener:
                try:
                    selector.register(listener.accept()[0], selectors.EVENT_READ)
                except OSError as error:
                    if error.errno == errno.EMFILE:
                        os.close(spare)
                        listener.accept()[0].close()
                        spare = os.open(os.devnull, os.O_RDONLY)
                continue
            try:
                data = sock.recv(65536)
                if data:
                    sock.sendall(data)
            except OSError:
                data = b""
            if not data:
                selector.unregister(sock)
                sock.close()
