import os


def init(start):
    service = start()
    while os.wait()[0] != service:
        pass
    return 0
