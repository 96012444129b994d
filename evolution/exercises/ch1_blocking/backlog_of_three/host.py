"""A server that listens with a backlog of three and never accepts."""

import signal
import socket

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", 0))
listener.listen(3)
print("listening %s:%s" % listener.getsockname(), flush=True)
while True:
    signal.pause()
