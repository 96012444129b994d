import json
import mmap
import os
import select
import signal
import socket
import struct
import time

COUNTERS = struct.Struct("qq")  # one reactor's open connections, and its messages so far


class Worker:
    """A master that only supervises, and `count` reactors that serve one listener."""

    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.idle = port, count, idle
        self.cut = {"text": cut_line, "http": cut_request}[protocol]
        self.on_message = lambda message: message
        self.on_start = lambda: None

    # --- the master ---

    def run(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.listener.setblocking(False)
        self.board = mmap.mmap(-1, COUNTERS.size * self.count)  # shared with every child (mmap(2))
        self.lifeline = os.pipe()  # the end of this file tells the reactors that the master is gone
        self.wake, wakes = socket.socketpair()
        self.wake.setblocking(False)
        wakes.setblocking(False)
        self.asked = set()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, lambda number, frame: self.asked.add(number))
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self.reactors = {}  # pid: (slot, when it was born)
        self.due = dict.fromkeys(range(self.count), 0.0)  # slot: when it may be filled
        self.pause = dict.fromkeys(range(self.count), 0.1)
        self.fill()
        print("listening %s:%d" % self.listener.getsockname(), flush=True)
        while not self.asked & {signal.SIGTERM, signal.SIGINT}:
            nap = min(self.due.values(), default=None)
            select.select([self.wake], [], [], None if nap is None else max(0, nap - time.monotonic()))
            self.drain()
            if signal.SIGUSR1 in self.asked:
                self.report()
            if signal.SIGHUP in self.asked:
                old = list(self.reactors)
                self.due = dict.fromkeys(range(self.count), 0.0)
                self.fill()  # the new ones first: somebody serves at any moment
                for pid in old:
                    os.kill(pid, signal.SIGTERM)
            self.asked -= {signal.SIGUSR1, signal.SIGHUP}
            self.reap()
            self.fill()
        for pid in self.reactors:
            os.kill(pid, signal.SIGTERM)
        for pid in list(self.reactors):
            os.waitpid(pid, 0)

    def drain(self):
        try:
            while self.wake.recv(4096):
                pass
        except BlockingIOError:
            pass

    def reap(self):
        while self.reactors:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            slot, born = self.reactors.pop(pid)
            if slot in (each for each, _ in self.reactors.values()):
                continue  # a reload has put another one there
            young = time.monotonic() - born < 1.0
            self.pause[slot] = min(self.pause[slot] * 2, 2.0) if young else 0.1
            self.due[slot] = time.monotonic() + (self.pause[slot] if young else 0)

    def fill(self):
        for slot in [each for each, when in self.due.items() if when <= time.monotonic()]:
            del self.due[slot]
            pid = os.fork()
            if not pid:
                status = 1
                try:
                    self.serve(slot)
                    status = 0
                finally:
                    os._exit(status)
            self.reactors[pid] = slot, time.monotonic()

    def report(self):
        rows = [COUNTERS.unpack_from(self.board, COUNTERS.size * slot) for slot in range(self.count)]
        facts = {"workers": len(self.reactors)}
        facts |= {"connections": sum(row[0] for row in rows), "messages": sum(row[1] for row in rows)}
        print(json.dumps(facts), flush=True)

    # --- a reactor ---

    def serve(self, slot):
        os.close(self.lifeline[1])
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
        self.wake, wakes = socket.socketpair()
        self.wake.setblocking(False)
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        self.asked = set()
        self.on_start()
        self.slot, self.conns, self.messages = slot, {}, 0
        self.poller = select.epoll()
        self.poller.register(self.listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        self.poller.register(self.wake, select.EPOLLIN)
        self.poller.register(self.lifeline[0], select.EPOLLIN)
        while not self.asked:
            for fd, events in self.poller.poll(min(self.idle / 4, 1.0)):
                if fd == self.listener.fileno():
                    self.accept()
                elif fd == self.lifeline[0]:
                    return
                elif fd in self.conns:
                    self.handle(self.conns[fd])
            self.sweep(time.monotonic() - self.idle)
        while self.accept():  # whoever is in the queue is served too
            pass
        self.poller.unregister(self.listener)
        begin = time.monotonic()
        while self.conns and time.monotonic() < begin + 2:
            for conn in list(self.conns.values()):
                conn.last = (
                    conn.spoken or time.monotonic() > begin + 0.3
                )  # the first message may be on its way
                self.handle(conn)
            self.poller.poll(0.05)

    def accept(self):
        try:
            sock, _ = self.listener.accept()
        except OSError:
            return False
        conn = self.conns[sock.fileno()] = Conn(sock)
        self.poller.register(sock, select.EPOLLIN)
        self.count_up(0)
        return conn

    def handle(self, conn):
        alive = conn.receive()
        while not conn.closing and (found := self.cut(conn)):
            message, wrap = found
            self.count_up(1)
            conn.unsent += wrap(self.on_message(message))
            conn.active, conn.spoken = time.monotonic(), True
        sent = conn.transmit()
        if not sent or (not conn.unsent and (not alive or conn.closing or conn.last)):
            self.drop(conn)
        elif conn.sock.fileno() in self.conns:
            self.poller.modify(conn.sock, select.EPOLLOUT if conn.unsent else select.EPOLLIN)

    def drop(self, conn):
        del self.conns[conn.sock.fileno()]
        conn.sock.close()
        self.count_up(0)

    def sweep(self, before):
        for conn in [each for each in self.conns.values() if each.active < before]:
            self.drop(conn)

    def count_up(self, messages):
        self.messages += messages
        COUNTERS.pack_into(self.board, COUNTERS.size * self.slot, len(self.conns), self.messages)


class Conn:
    """A client's socket, what came and is not understood yet, and what is not sent yet."""

    def __init__(self, sock):
        self.sock, self.received, self.unsent = sock, b"", b""
        self.active, self.spoken, self.closing, self.last = time.monotonic(), False, False, False
        sock.setblocking(False)

    def receive(self):
        """Return False once the client will say no more."""
        if self.unsent:
            return True  # first it shall read
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            self.closing = True
            return False
        self.received += data
        return bool(data)

    def transmit(self):
        try:
            self.unsent = self.unsent[self.sock.send(self.unsent) :] if self.unsent else b""
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


def cut_line(conn):
    """Return (line, how to wrap the answer), or None while no line is complete."""
    line, end, rest = conn.received.partition(b"\n")
    if not end:
        return None
    conn.received = rest
    return line, lambda answer: answer + b"\n"


def cut_request(conn):
    """Return (path, how to wrap the answer), or None while no request is complete."""
    head, end, rest = conn.received.partition(b"\r\n\r\n")
    if not end:
        return None
    conn.received = rest
    conn.closing = b"\r\nconnection: close" in head.lower()
    path = head.split(b" ", 2)[1] if head.count(b" ") >= 2 else b"/"
    return path, lambda answer: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)
