"""A server of generators: each conversation reads like the blocking one, and yields where that would sleep.

Sixty lines, and the last of them are an event loop. The loop knows nothing about HTTP, a conversation knows
nothing about epoll; between the two goes a pair such as (READ, conn): "this is what I am waiting for".
It has no time-outs and no answer to a shortage of descriptors: `evolution.epoll_loop` has both.
"""

import heapq
import re
import select
import socket
import time

READ, WRITE, SLEEP = select.EPOLLIN, select.EPOLLOUT, 0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"


def welcome(listener):
    while True:
        yield READ, listener
        conn, _ = listener.accept()
        conn.setblocking(False)
        start(conversation(conn))


def conversation(conn):
    with conn:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                yield READ, conn
                data = conn.recv(65536)
                if not data:
                    return
                received += data
            request, _, received = received.partition(b"\r\n\r\n")
            if slow := re.match(rb"GET /slow\?seconds=([0-9.]+)", request):
                yield SLEEP, float(slow[1])
            answer = HEAD + b"hello\n"
            while answer:
                yield WRITE, conn
                answer = answer[conn.send(answer) :]
            if b"connection: close" in request.lower():
                return


poller = select.epoll()
waiting, timers = {}, []


def start(task):
    """Run a task up to its next yield, and note what it waits for."""
    try:
        what, subject = next(task)
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
