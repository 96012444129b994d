import json
import os
import selectors
import signal
import socket
import time


class Worker:
    """The master accepts and hands each connection to a reactor, in turn (unix(7), SCM_RIGHTS)."""

    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.wake, wakes = socket.socketpair()
        self.wake.setblocking(False)
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self.selector.register(self.wake, selectors.EVENT_READ)
        self.crew = {}  # pid: dict
        self.again = []  # moments
        self.pause = 0.15
        self.dead_messages = 0
        self.turn = 0
        self.running = True
        for _ in range(self.count):
            self.birth()
        print("listening %s:%d" % self.listener.getsockname(), flush=True)
        while self.running:
            timeout = min((t - time.monotonic() for t in self.again), default=1.0)
            for key, _ in self.selector.select(max(0, timeout)):
                if key.fileobj is self.listener:
                    self.hand_over()
                elif key.fileobj is self.wake:
                    for number in self.wake.recv(100):
                        self.signalled(number)
                else:
                    self.report_from(key.data)
            due = [t for t in self.again if t <= time.monotonic()]
            self.again = [t for t in self.again if t > time.monotonic()]
            for _ in due:
                self.birth()
        self.listener.close()
        for pid, each in self.crew.items():
            each["pipe"].close()
        for pid in list(self.crew):
            os.waitpid(pid, 0)

    def signalled(self, number):
        if number == signal.SIGTERM:
            self.running = False
        elif number == signal.SIGHUP:
            old = list(self.crew.values())
            for each in old:
                each["old"] = True
            self.again = []
            for _ in range(self.count):
                self.birth()
            for each in old:
                if each["pipe"].fileno() >= 0:
                    each["pipe"].shutdown(socket.SHUT_WR)
        elif number == signal.SIGUSR1:
            alive = [each for each in self.crew.values() if not each["old"]]
            time.sleep(0.05)  # what the reactors have told is on its way
            for pid in list(self.crew):
                self.report_from(pid)
            facts = {"workers": len(alive), "connections": sum(each["open"] for each in self.crew.values())}
            facts["messages"] = self.dead_messages + sum(each["messages"] for each in self.crew.values())
            print(json.dumps(facts), flush=True)
        elif number == signal.SIGCHLD:
            while self.crew:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                each = self.crew.pop(pid)
                self.dead_messages += each["messages"]
                try:
                    self.selector.unregister(each["pipe"])
                except (KeyError, ValueError):
                    pass
                each["pipe"].close()
                if not each["old"]:
                    if time.monotonic() - each["born"] < 2:
                        self.again.append(time.monotonic() + self.pause)
                        self.pause = min(self.pause * 2, 2)
                    else:
                        self.pause = 0.15
                        self.again.append(0)

    def hand_over(self):
        try:
            conn, _ = self.listener.accept()
        except OSError:
            return
        with conn:
            ready = [pid for pid, each in self.crew.items() if not each["old"]]
            self.turn += 1
            for pid in ready[self.turn % len(ready) :] + ready:
                try:
                    socket.send_fds(self.crew[pid]["pipe"], [b"c"], [conn.fileno()])
                    return
                except OSError:
                    continue

    def report_from(self, pid):
        each = self.crew.get(pid)
        if not each:
            return
        try:
            while data := each["pipe"].recv(16, socket.MSG_DONTWAIT | socket.MSG_WAITALL):
                each["open"] = int.from_bytes(data[:8], "big")
                each["messages"] = int.from_bytes(data[8:], "big")
        except OSError:
            return
        try:
            self.selector.unregister(each["pipe"])
        except (KeyError, ValueError):
            pass

    def birth(self):
        mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if not pid:
            try:
                signal.set_wakeup_fd(-1)
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
                    signal.signal(number, signal.SIG_IGN)  # the end of the pipe says it
                self.listener.close()
                mine.close()
                for each in self.crew.values():
                    each["pipe"].close()
                self.reactor(yours)
            finally:
                os._exit(0)
        yours.close()
        self.crew[pid] = {"pipe": mine, "open": 0, "messages": 0, "old": False, "born": time.monotonic()}
        self.selector.register(mine, selectors.EVENT_READ, pid)

    def reactor(self, pipe):
        self.on_start()
        selector = selectors.DefaultSelector()
        selector.register(pipe, selectors.EVENT_READ)
        self.conns, messages, ending = {}, 0, None
        last = None
        while True:
            if last != (len(self.conns), messages):
                last = len(self.conns), messages
                try:
                    pipe.send(last[0].to_bytes(8, "big") + last[1].to_bytes(8, "big"))
                except OSError:
                    pass
            if ending and (not self.conns or time.monotonic() > ending):
                return
            for key, _ in selector.select(0.05):
                if key.fileobj is pipe:
                    data, fds, _, _ = socket.recv_fds(pipe, 1, 1)
                    if not data:
                        selector.unregister(pipe)
                        ending = time.monotonic() + 0.3
                        continue
                    conn = socket.socket(fileno=fds[0])
                    self.conns[conn] = [b"", time.monotonic()]
                    selector.register(conn, selectors.EVENT_READ)
                    continue
                conn, state = key.fileobj, self.conns[key.fileobj]
                try:
                    data = conn.recv(65536)
                except OSError:
                    data = b""
                state[0] += data
                close = not data
                end = b"\n" if self.protocol == "text" else b"\r\n\r\n"
                while end in state[0] and not close:
                    message, _, state[0] = state[0].partition(end)
                    messages += 1
                    if self.protocol == "text":
                        answer = self.on_message(message) + b"\n"
                    else:
                        body = self.on_message(message.split(b" ")[1])
                        answer = (
                            b"HTTP/1.1 200 OK\r\nContent-Length: "
                            + str(len(body)).encode()
                            + b"\r\n\r\n"
                            + body
                        )
                        close = b"connection: close" in message.lower()
                    conn.sendall(answer)
                    state[1] = time.monotonic()
                if close:
                    selector.unregister(conn)
                    conn.close()
                    del self.conns[conn]
            for conn, state in list(self.conns.items()):
                if state[1] < time.monotonic() - self.idle:
                    selector.unregister(conn)
                    conn.close()
                    del self.conns[conn]
