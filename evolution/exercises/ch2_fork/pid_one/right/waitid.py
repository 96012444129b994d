import os


def init(start):
    service = start()
    ended = None
    while ended is None or ended.si_pid != service:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED)
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
