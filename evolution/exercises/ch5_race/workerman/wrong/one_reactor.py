import asyncio


class Worker:
    def __init__(self, port=0, count=2, protocol="text", idle=60.0):
        self.port, self.count, self.protocol, self.idle = port, count, protocol, idle
        self.on_message = lambda message: message
        self.on_start = lambda: None

    def run(self):
        asyncio.run(self.main())

    async def main(self):
        self.on_start()
        servers = [await asyncio.start_server(self.converse, "127.0.0.1", self.port, reuse_port=True)]
        address = servers[0].sockets[0].getsockname()
        for _ in range(1, self.count):
            servers.append(await asyncio.start_server(self.converse, *address, reuse_port=True))
        print("listening %s:%d" % address, flush=True)
        await asyncio.gather(*(each.serve_forever() for each in servers))

    async def converse(self, reader, writer):
        async for line in reader:
            writer.write(self.on_message(line.rstrip(b"\n")) + b"\n")
            await writer.drain()
        writer.close()
