import socket
import struct
import time

DEADLINE = 1.0


def serve(listener):
    """The kernel's own receive time-out, wound up anew with what is left before each byte."""
    while True:
        conn, _ = listener.accept()
        end = time.monotonic() + DEADLINE
        line = bytearray()
        try:
            while not line.endswith(b"\n"):
                left = end - time.monotonic()
                if left <= 0.001:
                    raise BlockingIOError
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(min(left, 0.999) * 1e6)))
                byte = conn.recv(1)
                if not byte:
                    raise ConnectionError
                line += byte
            conn.sendall(b"hello " + line)
        except OSError:
            pass
        conn.close()
