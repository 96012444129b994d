import asyncio

IDLE = 1.0


def serve(listener):
    asyncio.run(main(listener))


async def main(listener):
    server = await asyncio.start_server(echo, sock=listener)
    await server.serve_forever()


async def echo(reader, writer):
    try:
        while data := await asyncio.wait_for(reader.read(65536), IDLE):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
