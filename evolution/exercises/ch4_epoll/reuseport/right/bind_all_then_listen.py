from socket import AF_INET, SO_REUSEADDR, SO_REUSEPORT, SOCK_STREAM, SOL_SOCKET, socket


def open_listeners(port, count):
    made = tuple(socket(AF_INET, SOCK_STREAM) for _ in range(count))
    for sock in made:
        for option in (SO_REUSEADDR, SO_REUSEPORT):
            sock.setsockopt(SOL_SOCKET, option, 1)
        sock.bind(("", port))
    for sock in made:
        sock.listen()
    return made


def retire(listener, serve):
    listener.settimeout(0.1)
    clients = []
    while True:
        try:
            clients.append(listener.accept())
        except TimeoutError:
            break
    for conn, _ in clients:
        serve(conn)
    listener.close()
