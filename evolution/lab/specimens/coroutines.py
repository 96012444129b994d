"""The same server with async and await. The conversations have new words; the loop below is the same.

`await` hands a pair such as (READ, conn) through all the callers up to the loop, as `yield` did for one.
"""

import heapq
import re
import select
import socket
import time

READ, WRITE, SLEEP = select.EPOLLIN, select.EPOLLOUT, 0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"


class Wait:
    """What `await` takes: it yields once, to the loop, and goes on when the loop says so."""

    def __init__(self, what, subject):
        self.pair = what, subject

    def __await__(self):
        yield self.pair


async def welcome(listener):
    while True:
        await Wait(READ, listener)
        conn, _ = listener.accept()
        conn.setblocking(False)
        start(conversation(conn))


async def conversation(conn):
    with conn:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                await Wait(READ, conn)
                data = conn.recv(65536)
                if not data:
                    return
                received += data
            request, _, received = received.partition(b"\r\n\r\n")
            if slow := re.match(rb"GET /slow\?seconds=([0-9.]+)", request):
                await Wait(SLEEP, float(slow[1]))
            await send_all(conn, HEAD + b"hello\n")
            if b"connection: close" in request.lower():
                return


async def send_all(conn, answer):
    while answer:
        await Wait(WRITE, conn)
        answer = answer[conn.send(answer) :]


poller = select.epoll()
waiting, timers = {}, []


def start(task):
    """Run a task up to its next yield, and note what it waits for."""
    try:
        what, subject = task.send(None)
    except (StopIteration, ConnectionError):
        return
    if what == SLEEP:
        heapq.heappush(timers, (time.monotonic() + subject, id(task), task))
    else:
        waiting[subject.fileno()] = task
        poller.register(subject, what | select.EPOLLONESHOT)


def loop():
    while True:
        pause = max(0, timers[0][0] - time.monotonic()) if timers else None
        for fd, _ in poller.poll(pause):  # the only place where this program sleeps
            poller.unregister(fd)
            start(waiting.pop(fd))
        while timers and timers[0][0] <= time.monotonic():
            start(heapq.heappop(timers)[2])


with socket.create_server(("127.0.0.1", 0)) as listener:
    listener.setblocking(False)
    print(f"listening 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    start(welcome(listener))
    loop()
