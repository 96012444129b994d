import selectors
import socket


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port = port
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        listener = socket.create_server(("127.0.0.1", self.port))
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ)
        self.on_start()
        print("listening %s:%d" % listener.getsockname(), flush=True)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    conn, _ = listener.accept()
                    selector.register(conn, selectors.EVENT_READ)
                elif data := key.fileobj.recv(65536):
                    key.fileobj.sendall(self.on_message(data.rstrip(b"\n")) + b"\n")
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
