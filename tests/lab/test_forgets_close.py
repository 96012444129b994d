"""The server without a close: it leaks no descriptor, and each client hangs until the next one comes."""

import select

from evolution import lab


def test_fifty_clients_and_one_descriptor():
    with lab.specimen("forgets_close") as server, lab.call(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n")
        assert client.recv(1000).endswith(b"hello world!")
        assert select.select([client], [], [], 0.1)[0] == []
        for _ in range(50):
            assert lab.ask(server).status == 200
        kinds = [each.kind for each in server.tree()[0].descriptors]
        assert kinds.count("listener") == 1 and kinds.count("client") == 1
        assert client.recv(1000) == b""
