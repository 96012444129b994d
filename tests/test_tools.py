"""Programs that others wrote, as clients: what they call an error would be one.

curl and wrk must be there (with EVOLUTION_REQUIRE_TOOLS=1 their absence fails); ab, h2load, siege, httperf,
hey, slowhttptest, Node, httpx, aiohttp and urllib3 are tried where they are. Whatever holds a connection open
holds a worker of the blocking kind, so those models are asked with as many connections as they have workers.
"""

import asyncio
import http.client
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
from contract import MODELS
from serving import PATIENCE, ask, eventually, serve

MANDATORY = {"curl", "wrk"}

NODE = """
const http = require("node:http");
const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const ports = new Set();
const ask = (number) => new Promise((resolve, reject) => {
  const body = `body ${number}`;
  const options = { host: "127.0.0.1", port: PORT, agent, method: "POST", path: "/echo" };
  if (number % 2) options.headers = { "Content-Length": body.length };  // otherwise Node sends chunks
  const request = http.request(options, (answer) => {
    ports.add(answer.socket.localPort);
    let text = "";
    answer.setEncoding("utf8").on("data", (part) => { text += part; });
    answer.on("end", () => (answer.statusCode === 200 && text === body ? resolve() : reject(Error(text))));
  });
  request.on("error", reject);
  request.write(body.slice(0, 3));
  request.end(body.slice(3));
});
Promise.all(Array.from({ length: 100 }, (_, number) => ask(number))).then(() => {
  agent.destroy();
  console.log(JSON.stringify({ connections: ports.size }));
}).catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture(params=MODELS, ids=str, scope="module")
def model(request):
    return request.param


@pytest.fixture(scope="module")
def served(model):
    with serve(model.name) as served:
        yield served
        assert served.stop() == 0
        assert served.errors() == []


@pytest.fixture(scope="module")
def url(served):
    return f"http://127.0.0.1:{served.port}"


def found(tool):
    """The tool's path; skip where it is not installed."""
    path = shutil.which(tool)
    if not path:
        if tool in MANDATORY and os.environ.get("EVOLUTION_REQUIRE_TOOLS") == "1":
            pytest.fail(f"{tool} is not installed, and EVOLUTION_REQUIRE_TOOLS=1 asks for it")
        pytest.skip(f"{tool} is not installed")
    return path


def run(tool, *args, **options):
    """Run a tool to its end and return what it printed."""
    done = subprocess.run(
        [found(tool), *map(str, args)], capture_output=True, text=True, timeout=3 * PATIENCE, **options
    )
    assert done.returncode == 0, (args, done.stdout[-500:], done.stderr[-500:])
    return done.stdout


def at_once(model, wanted):
    """As many connections as this model serves at the same time."""
    return min(wanted, model.at_once)


def curl(*args, **options):
    return run("curl", "--silent", "--show-error", "--fail", "--max-time", PATIENCE, *args, **options)


class TestCurl:
    def test_one_connection_for_many(self, url):
        out = curl("--write-out", "|%{num_connects}\n", *[f"{url}/"] * 5)
        assert out == "hello world!|1\n" + 4 * "hello world!|0\n"

    def test_http_1_0_ends_with_the_answer(self, url):
        head = curl("--http1.0", "--include", f"{url}/")
        assert head.endswith("hello world!") and "connection: close" in head.lower()

    def test_http_1_0_keep_alive(self, url):
        keep = ("--http1.0", "--header", "Connection: keep-alive")
        out = curl(*keep, "--write-out", "|%{num_connects}\n", *[f"{url}/"] * 2)
        assert out == "hello world!|1\nhello world!|0\n"

    def test_head(self, url):
        head = curl("--head", *[f"{url}/"] * 2, "--write-out", "%{num_connects}\n").lower()
        assert head.count("content-length: 12\n") == 2 and head.endswith("\n\n0\n")

    def test_expect_continue(self, url, tmp_path):
        sent = tmp_path / "sent"
        sent.write_bytes(bytes(range(256)) * 4000)
        done = ("--expect100-timeout", PATIENCE, "--header", "Expect: 100-continue")
        echo = (*done, "--data-binary", f"@{sent}", "--output", tmp_path / "back", f"{url}/echo")
        assert "< HTTP/1.1 100 Continue" in curl("--verbose", "--stderr", "-", *echo)
        assert (tmp_path / "back").read_bytes() == sent.read_bytes()

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_chunks(self, url, method):
        chunked = ("--header", "Transfer-Encoding: chunked", "--data-binary", "@-", "--request", method)
        if method == "POST":
            assert curl(*chunked, f"{url}/echo", input="abc" * 50_000) == "abc" * 50_000
        else:  # no such route, and the body must not be taken for the next request
            status = run("curl", "-s", *chunked, f"{url}/echo", "-w", "|%{http_code}", input="abc" * 50_000)
            assert status.endswith("|405")

    def test_a_body_too_large_gets_its_answer(self, url, tmp_path):
        large = tmp_path / "large"
        large.write_bytes(bytes(3 << 20))
        send = ("--data-binary", f"@{large}", f"{url}/echo", "--write-out", "|%{http_code}")
        assert run("curl", "-s", "--header", "Expect:", *send).endswith("|413")

    def test_big_answer_whole(self, url, tmp_path):
        curl("--output", tmp_path / "big", f"{url}/big?bytes=33554432")
        assert (tmp_path / "big").stat().st_size == 33_554_432

    def test_parallel(self, model, url):
        same_time = ("--parallel", "--parallel-immediate", "--parallel-max", at_once(model, 20))
        assert curl(*same_time, *[f"{url}/"] * 100) == "hello world!" * 100


class TestLoad:
    def test_wrk(self, model, url):
        out = run("wrk", "-t1", f"-c{at_once(model, 32)}", "-d1s", "--timeout", "10s", f"{url}/")
        assert int(re.search(r"(\d+) requests in", out)[1]) > 0
        assert "Non-2xx" not in out and "Socket errors" not in out, out

    @pytest.mark.parametrize("keep_alive", [True, False])
    def test_ab(self, model, url, keep_alive):
        out = run("ab", "-q", *["-k"] * keep_alive, "-n", 500, "-c", at_once(model, 16), f"{url}/")
        assert re.search(r"Complete requests: +500\n", out) and re.search(r"Failed requests: +0\n", out), out
        if keep_alive:
            assert re.search(r"Keep-Alive requests: +500\n", out), out

    def test_h2load(self, model, url):
        out = run("h2load", "--h1", "-t1", f"-c{at_once(model, 16)}", "-n500", f"{url}/")
        assert "500 succeeded, 0 failed, 0 errored, 0 timeout" in out, out
        assert "500 2xx" in out, out

    @pytest.mark.parametrize("connection", ["keep-alive", "close"])
    def test_siege(self, model, url, connection, tmp_path):
        (tmp_path / "rc").write_text(f"connection = {connection}\njson_output = true\nparser = false\n")
        env = dict(os.environ, HOME=str(tmp_path))
        clients = at_once(model, 8)
        out = run("siege", "-R", tmp_path / "rc", "-b", "-r", 20, "-c", clients, f"{url}/", env=env)
        assert re.search(rf'"successful_transactions":\s*{20 * clients},', out), out
        assert re.search(r'"failed_transactions":\s*0,', out), out

    def test_httperf(self, served):
        where = ("--server", "127.0.0.1", "--port", served.port, "--timeout", PATIENCE)
        out = run("httperf", *where, "--num-conns", 20, "--num-calls", 10)
        assert "connections 20 requests 200 replies 200 " in out and "Errors: total 0 " in out, out

    def test_hey(self, model, url):
        connections = max(1, at_once(model, 16) // 2)  # Go may dial more of them than it has clients
        out = run("hey", "-n", connections * 20, "-c", connections, f"{url}/")
        assert f"[200]\t{connections * 20} responses" in out and "Error distribution" not in out, out

    @pytest.mark.parametrize("kind", ["-H", "-B", "-X"], ids=["headers", "body", "read"])
    def test_slowhttptest(self, model, served, kind):
        """Where slow clients can hold up the others by the nature of the model, they do so until they go."""
        options = ("-c", 40, "-r", 200, "-i", 1, "-l", 3, "-p", 1, "-w", 8, "-y", 16, "-z", 4)
        tool = subprocess.Popen(
            [found("slowhttptest"), kind, *map(str, options), "-u", f"http://127.0.0.1:{served.port}/"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: connected_to(served.port) >= 40, "40 slow clients")
            if not 0 < model.held_by <= 40:
                assert ask(served)[2] == b"hello world!"
        finally:
            tool.terminate()
            tool.wait(PATIENCE)
        assert ask(served)[2] == b"hello world!"


def connected_to(port):
    """How many connections to a port of this machine are established (/proc/net/tcp, state 1)."""
    with open("/proc/net/tcp") as table:
        return sum(f" 0100007F:{port:04X} 01 " in row for row in table)


class TestClients:
    def test_nodes_keep_alive_agent(self, model, served):
        connections = at_once(model, 4)
        script = NODE.replace("PORT", str(served.port)).replace("CONNECTIONS", str(connections))
        assert json.loads(run("node", "--eval", script)) == {"connections": connections}

    def test_http_client(self, served):
        client = http.client.HTTPConnection(*served.address, timeout=PATIENCE)
        client.connect()
        port = client.sock.getsockname()
        for method, path, body, status, text in (
            ("GET", "/", None, 200, b"hello world!"),
            ("POST", "/echo", b"abc", 200, b"abc"),
            ("POST", "/echo", iter([b"a", b"bc"]), 200, b"abc"),  # in chunks
            ("HEAD", "/", None, 200, b""),
            ("DELETE", "/", None, 405, b"expected one of GET, HEAD, OPTIONS\n"),
        ):
            client.request(method, path, body, encode_chunked=True)
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (status, text)
            assert client.sock.getsockname() == port, "the connection was not kept"
        client.close()

    def test_urllib(self, url):
        with urllib.request.urlopen(f"{url}/", timeout=PATIENCE) as answer:
            assert (answer.status, answer.read()) == (200, b"hello world!")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{url}/nowhere", timeout=PATIENCE)
        assert caught.value.code == 404
        caught.value.close()

    def test_httpx(self, url):
        httpx = pytest.importorskip("httpx")
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as client:
            answers = [client.get("/"), client.post("/echo", content=b"abc"), client.head("/")]
            answers.append(client.post("/echo", content=iter([b"a", b"bc"])))  # in chunks
            assert [answer.status_code for answer in answers] == [200] * 4
            assert [answer.content for answer in answers] == [b"hello world!", b"abc", b"", b"abc"]
            streams = {
                answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers
            }
            assert len(streams) == 1, "the connection was not kept"

    def test_urllib3(self, served):
        urllib3 = pytest.importorskip("urllib3")
        with urllib3.HTTPConnectionPool(*served.address, maxsize=1, timeout=PATIENCE, retries=False) as pool:
            assert [pool.request("GET", "/").data for _ in range(3)] == [b"hello world!"] * 3
            assert pool.request("POST", "/echo", body=b"abc").data == b"abc"
            assert len(pool.request("GET", "/big?bytes=3000000").data) == 3_000_000
            assert pool.num_connections == 1, "the connection was not kept"

    def test_aiohttp(self, model, url):
        aiohttp = pytest.importorskip("aiohttp")

        async def ask_all():
            connector = aiohttp.TCPConnector(limit=at_once(model, 4))
            async with aiohttp.ClientSession(connector=connector) as session:

                async def one(number):
                    async with session.post(f"{url}/echo", data=b"%d" % number) as answer:
                        return answer.status, await answer.read()

                return await asyncio.gather(*map(one, range(50)))

        assert asyncio.run(ask_all()) == [(200, b"%d" % number) for number in range(50)]
