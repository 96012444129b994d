import socket


class Worker:
    """A small Workerman: so far one process that serves one client after the other, in lines."""

    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message  # a line or a path in, the answer out: bytes
        self.on_start = lambda: None  # called in each reactor before it serves

    def run(self):
        listener = socket.create_server(("127.0.0.1", self.port))
        self.on_start()
        print("listening %s:%d" % listener.getsockname(), flush=True)
        while True:
            conn, _ = listener.accept()
            with conn, conn.makefile("rb") as lines:
                for line in lines:
                    conn.sendall(self.on_message(line.rstrip(b"\n")) + b"\n")
