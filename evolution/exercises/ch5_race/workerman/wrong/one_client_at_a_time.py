import socket


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        listener = socket.create_server(("127.0.0.1", self.port))
        self.on_start()
        print("listening %s:%d" % listener.getsockname(), flush=True)
        while True:
            conn, _ = listener.accept()
            received = b""
            while data := conn.recv(4096):
                received += data
                while b"\n" in received:
                    line, _, received = received.partition(b"\n")
                    conn.sendall(self.on_message(line) + b"\n")
            conn.close()
