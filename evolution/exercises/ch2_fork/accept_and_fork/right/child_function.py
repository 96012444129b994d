import os
import traceback


def serve(listener, talk):
    while True:
        with listener.accept()[0] as conn:  # the parent's copy is closed at the end of the block
            pid = os.fork()
            if pid == 0:
                os._exit(child(listener, conn, talk))


def child(listener, conn, talk):
    listener.close()
    try:
        talk(conn)
        return 0
    except OSError:
        traceback.print_exc()
        return 1
