"""The standard library's http.server with a thread for each connection."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from replies import BODY, TEXT, announce


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one send; unbuffered they cost 40 ms (Nagle and delayed ACK)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", TEXT)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Hello)
    announce(server.socket)
    server.serve_forever()
