import socket


def open_listener(port):
    """One socket for IPv6 and IPv4; create_server sets SO_REUSEADDR itself."""
    return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
