"""A server that is hard to get rid of: two workers, and a daemon that forked twice and ignores SIGTERM.

All of them hold the listening socket; the daemon has a session of its own.
"""

import os
import signal
import socket

listener = socket.create_server(("127.0.0.1", 0))
ready, daemon_is_up = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(daemon_is_up, b"!")
        while True:
            signal.pause()
    os._exit(0)
os.wait()
for _ in range(2):
    if os.fork() == 0:
        while True:
            listener.accept()[0].sendall(b"hello\n")
os.read(ready, 1)
print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
signal.pause()
