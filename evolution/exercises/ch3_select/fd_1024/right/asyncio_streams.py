import asyncio


def serve(listener):
    asyncio.run(main(listener))


async def main(listener):
    server = await asyncio.start_server(echo, sock=listener)
    await server.serve_forever()


async def echo(reader, writer):
    try:
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
