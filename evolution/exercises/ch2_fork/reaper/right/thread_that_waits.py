import os
import threading


def serve(listener, start, record):
    children = threading.Semaphore(0)

    def undertaker():
        while True:
            children.acquire()  # sleeps while there is nobody to wait for
            pid, status = os.wait()
            record(pid, os.waitstatus_to_exitcode(status))

    threading.Thread(target=undertaker, daemon=True).start()
    while True:
        conn, _ = listener.accept()
        start(conn)
        conn.close()
        children.release()
