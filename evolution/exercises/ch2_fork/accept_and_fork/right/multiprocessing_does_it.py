import multiprocessing

fork = multiprocessing.get_context("fork")


def serve(listener, talk):
    while True:
        conn, _ = listener.accept()
        fork.Process(target=child, args=(listener, conn, talk)).start()
        conn.close()


def child(listener, conn, talk):
    listener.close()
    talk(conn)
