import os
import signal


class Enough(Exception):
    pass


def serve(listener, reply):
    crew = []

    def stop(*_):
        for pid in crew:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    for _ in range(2):
        if not (pid := os.fork()):
            try:
                Worker(listener, reply).run()
            finally:
                os._exit(0)
        crew.append(pid)
    while crew:
        crew.remove(os.wait()[0])


class Worker:
    def __init__(self, listener, reply):
        self.listener, self.reply = listener, reply
        self.idle = self.stopping = False
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, *_):
        self.stopping = True
        if self.idle:
            raise Enough  # out of the call it sleeps in

    def sleep_in(self, call, *arguments):
        try:
            self.idle = True
            if self.stopping:
                raise Enough
            return call(*arguments)
        finally:
            self.idle = False

    def run(self):
        try:
            while True:
                self.talk(self.sleep_in(self.listener.accept)[0])
        except Enough:
            self.listener.setblocking(False)
        while True:
            try:
                conn, _ = self.listener.accept()  # who waits in the queue is still served
            except BlockingIOError:
                return
            conn.settimeout(0.3)
            self.talk(conn)

    def talk(self, conn):
        with conn:
            while True:
                try:
                    data = conn.recv(1000) if self.stopping else self.sleep_in(conn.recv, 1000)
                except (Enough, TimeoutError):
                    return
                if not data:
                    return
                conn.sendall(self.reply(data))
                if self.stopping:
                    return
