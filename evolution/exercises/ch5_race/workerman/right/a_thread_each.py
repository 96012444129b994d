import json
import mmap
import multiprocessing
import os
import select
import signal
import socket
import threading
import time


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        context = multiprocessing.get_context("fork")
        self.memory = mmap.mmap(-1, 4096)
        self.flags = {signal.SIGTERM: False, signal.SIGHUP: False, signal.SIGUSR1: False}
        r, w = os.pipe()
        os.set_blocking(w, False)
        os.set_blocking(r, False)
        signal.set_wakeup_fd(w, warn_on_full_buffer=False)
        for number in self.flags:
            signal.signal(number, self.flag)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        crew = [None] * self.count
        fails = [0] * self.count
        when = [0.0] * self.count
        old = []

        def start(slot):
            process = context.Process(target=self.reactor, args=(slot,))
            process.start()
            crew[slot] = process, time.monotonic()

        for slot in range(self.count):
            self.memory[slot * 32 : slot * 32 + 4] = b"0 0\0"
            start(slot)
        print("listening %s:%d" % self.listener.getsockname(), flush=True)
        while not self.flags[signal.SIGTERM]:
            select.select([r], [], [], 0.1)
            try:
                os.read(r, 1000)
            except BlockingIOError:
                pass
            if self.flags[signal.SIGUSR1]:
                self.flags[signal.SIGUSR1] = False
                conns = msgs = 0
                for slot in range(self.count):
                    row = bytes(self.memory[slot * 32 : slot * 32 + 32]).split(b"\0")[0].split()
                    conns, msgs = conns + int(row[0]), msgs + int(row[1])
                workers = sum(each is not None and each[0].is_alive() for each in crew)
                facts = {"workers": workers, "connections": conns, "messages": msgs}
                print(json.dumps(facts), flush=True)
            if self.flags[signal.SIGHUP]:
                self.flags[signal.SIGHUP] = False
                for slot in range(self.count):
                    if crew[slot]:
                        before = crew[slot][0]
                        start(slot)
                        before.terminate()
                        old.append(before)
            old = [each for each in old if each.is_alive()]
            for slot in range(self.count):
                if crew[slot] and not crew[slot][0].is_alive():
                    lived = time.monotonic() - crew[slot][1]
                    fails[slot] = fails[slot] + 1 if lived < 5 else 0
                    when[slot] = time.monotonic() + (0.2 * 2 ** fails[slot] if fails[slot] else 0)
                    crew[slot] = None
                if crew[slot] is None and when[slot] <= time.monotonic():
                    start(slot)
        alive = [each[0] for each in crew if each] + old
        for each in alive:
            each.terminate()
        for each in alive:
            each.join()

    def flag(self, number, frame):
        self.flags[number] = True

    def reactor(self, slot):
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
        self.stop = threading.Event()
        self.slot, self.conns, self.messages, self.lock = slot, {}, 0, threading.Lock()
        self.save()
        signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        self.on_start()
        threading.Thread(target=self.accept, daemon=True).start()
        while not self.stop.wait(0.1):  # the signal may have gone to another thread, which wakes nobody
            pass
        time.sleep(0.05)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            with self.lock:
                busy = [s for s, b in self.conns.items() if b]
                for sock, b in self.conns.items():
                    if not b:
                        try:
                            sock.shutdown(socket.SHUT_RD)
                        except OSError:
                            pass
            if not busy:
                break
            time.sleep(0.02)
        os._exit(0)

    def save(self):
        text = b"%d %d\0" % (len(self.conns), self.messages)
        self.memory[self.slot * 32 : self.slot * 32 + len(text)] = text

    def accept(self):
        self.listener.settimeout(0.02)
        while not self.stop.is_set():
            try:
                conn, _ = self.listener.accept()
            except TimeoutError:
                continue
            conn.settimeout(self.idle)
            with self.lock:
                self.conns[conn] = False
                self.save()
            threading.Thread(target=self.converse, args=(conn,), daemon=True).start()

    def converse(self, conn):
        end = b"\n" if self.protocol == "text" else b"\r\n\r\n"
        data = b""
        last = time.monotonic()
        try:
            while True:
                while end not in data:
                    left = last + self.idle - time.monotonic()
                    if left <= 0:
                        return
                    conn.settimeout(left)
                    more = conn.recv(4096)
                    if not more:
                        return
                    data += more
                with self.lock:
                    self.conns[conn] = True
                    self.messages += 1
                    self.save()
                message, _, data = data.partition(end)
                conn.settimeout(None)
                if self.protocol == "text":
                    conn.sendall(self.on_message(message) + b"\n")
                else:
                    body = self.on_message(message.split()[1])
                    conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-length:%d\r\n\r\n%b" % (len(body), body))
                    if b"connection: close" in message.lower():
                        return
                last = time.monotonic()
                with self.lock:
                    self.conns[conn] = False
        except OSError:
            pass
        finally:
            with self.lock:
                del self.conns[conn]
                self.save()
            conn.close()
