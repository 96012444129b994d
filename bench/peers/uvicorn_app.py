"""An ASGI application without a framework, for uvicorn."""

from replies import BODY, TEXT

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", TEXT.encode()), (b"content-length", b"12")],
}


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send(START)
        await send({"type": "http.response.body", "body": BODY})
