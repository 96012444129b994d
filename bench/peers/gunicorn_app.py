"""A WSGI application without a framework, for gunicorn."""

from replies import BODY, TEXT


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", "12")])
    return [BODY]
