import os
import selectors
import socket


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.listener.setblocking(False)
        print("listening %s:%d" % self.listener.getsockname(), flush=True)
        for _ in range(self.count - 1):
            if not os.fork():
                break
        self.on_start()
        self.loop()

    def loop(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        received = {}
        while True:
            for key, _ in selector.select():
                if key.fileobj is self.listener:
                    try:
                        conn, _ = self.listener.accept()
                    except BlockingIOError:
                        continue
                    selector.register(conn, selectors.EVENT_READ)
                    received[conn] = b""
                elif data := key.fileobj.recv(65536):
                    *lines, received[key.fileobj] = (received[key.fileobj] + data).split(b"\n")
                    for line in lines:
                        key.fileobj.sendall(self.on_message(line) + b"\n")
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
