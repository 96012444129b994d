lines = {}


def read_line(conn):
    if conn not in lines:
        everything = b""
        while data := conn.recv(4096):
            everything += data
        lines[conn] = everything.split(b"\n")[:-1]
    if lines[conn]:
        return lines[conn].pop(0)
    return None
