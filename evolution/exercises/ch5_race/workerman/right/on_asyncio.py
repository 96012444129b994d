import asyncio
import json
import mmap
import os
import signal
import socket
import struct
import time

COUNTERS = struct.Struct("qq")
SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD}


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.idle = port, count, idle
        self.end = {"text": b"\n", "http": b"\r\n\r\n"}[protocol]
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.board = mmap.mmap(-1, COUNTERS.size * self.count)
        self.lifeline = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self.births = {}  # pid: (slot, when)
        self.due = dict.fromkeys(range(self.count), 0.0)
        self.pause = dict.fromkeys(range(self.count), 0.1)
        self.fill()
        print("listening %s:%d" % self.listener.getsockname(), flush=True)
        while True:
            nap = min(self.due.values(), default=time.monotonic() + 60) - time.monotonic()
            got = signal.sigtimedwait(SIGNALS, max(0, nap))
            number = got.si_signo if got else None
            if number in (signal.SIGTERM, signal.SIGINT):
                break
            if number == signal.SIGUSR1:
                self.report()
            if number == signal.SIGHUP:
                old = list(self.births)
                self.due = dict.fromkeys(range(self.count), 0.0)
                self.fill()
                self.tell(old)
            self.reap()
            self.fill()
        self.tell(self.births)
        while self.births:
            self.births.pop(os.wait()[0])

    def tell(self, pids):
        for pid in pids:
            os.kill(pid, signal.SIGTERM)

    def reap(self):
        while self.births and (pid := os.waitpid(-1, os.WNOHANG)[0]):
            slot, born = self.births.pop(pid)
            if all(slot != other for other, _ in self.births.values()):
                young = time.monotonic() - born < 1
                self.due[slot] = time.monotonic() + (self.pause[slot] if young else 0)
                self.pause[slot] = min(2, self.pause[slot] * 2) if young else 0.1

    def fill(self):
        for slot in [each for each, when in self.due.items() if when <= time.monotonic()]:
            del self.due[slot]
            if pid := os.fork():
                self.births[pid] = slot, time.monotonic()
                continue
            try:
                os.close(self.lifeline[1])
                asyncio.run(self.reactor(slot))
            finally:
                os._exit(0)

    def report(self):
        rows = [COUNTERS.unpack_from(self.board, COUNTERS.size * slot) for slot in range(self.count)]
        connections, messages = map(sum, zip(*rows))
        facts = {"workers": len(self.births), "connections": connections, "messages": messages}
        print(json.dumps(facts), flush=True)

    async def reactor(self, slot):
        self.slot, self.tasks, self.messages = slot, {}, 0
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        loop.add_reader(self.lifeline[0], os._exit, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
        self.on_start()
        server = await asyncio.start_server(self.converse, sock=self.listener)
        await stopping.wait()
        await asyncio.sleep(0.05)  # whoever is in the queue is served too
        server.close()
        await asyncio.sleep(0.3)  # and the first message of a new client may be on its way
        for writer in list(self.tasks.values()):
            if not writer.transport.is_closing():
                writer.transport._sock.shutdown(socket.SHUT_RD)
        if self.tasks:
            await asyncio.wait(list(self.tasks), timeout=2)

    async def converse(self, reader, writer):
        self.tasks[asyncio.current_task()] = writer
        self.count_up(0)
        try:
            closing = False
            while not closing:
                message = await asyncio.wait_for(reader.readuntil(self.end), self.idle)
                self.count_up(1)
                answer, closing = self.answer(message)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            pass
        finally:
            del self.tasks[asyncio.current_task()]
            self.count_up(0)
            writer.close()

    def answer(self, message):
        if self.end == b"\n":
            return self.on_message(message[:-1]) + b"\n", False
        body = self.on_message(message.split(b" ")[1])
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        return head + body, b"connection: close" in message.lower()

    def count_up(self, messages):
        self.messages += messages
        COUNTERS.pack_into(self.board, COUNTERS.size * self.slot, len(self.tasks), self.messages)
