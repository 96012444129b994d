import socket
import threading


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.on_start()
        print("listening %s:%d" % listener.getsockname(), flush=True)
        while True:
            conn, _ = listener.accept()
            threading.Thread(target=self.converse, args=(conn,), daemon=True).start()

    def converse(self, conn):
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(self.on_message(line.rstrip(b"\n")) + b"\n")
