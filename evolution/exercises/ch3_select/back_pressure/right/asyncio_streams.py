import asyncio

LIMIT = 262144


def serve(listener):
    asyncio.run(main(listener))


async def main(listener):
    server = await asyncio.start_server(echo, sock=listener)
    await server.serve_forever()


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()  # not one byte is read before there is room again
    except ConnectionError:
        pass
    finally:
        writer.close()
