import threading


def serve(listener):
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=echo, args=(conn,), daemon=True).start()


def echo(conn):
    try:
        while data := conn.recv(65536):
            conn.sendall(data)
    except OSError:
        pass
    conn.close()
