"""A server that forks with a connection open. Each further client is the sign for its next step."""

import os
import signal
import socket

listener = socket.create_server(("127.0.0.1", 0))
print("listening %s:%s" % listener.getsockname(), flush=True)

conn, _ = listener.accept()
x = 1
changed, change = os.pipe()
child = os.fork()
if child == 0:
    x = 2
    os.write(change, b"x is 2")
    conn.recv(100)
    conn.sendall(b"an answer from process %d\n" % os.getpid())
    conn.recv(100)
    os._exit(0)
os.read(changed, 100)

second, _ = listener.accept()
print(f"x {x}", flush=True)
conn.close()
print("closed 4", flush=True)

third, _ = listener.accept()
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
print("ended %d" % child, flush=True)
listener.accept()
third.close()
while True:
    signal.pause()
