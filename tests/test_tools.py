"""Programs that others wrote, as clients: what they call an error would be one.

curl and wrk must be there (with EVOLUTION_REQUIRE_TOOLS=1 their absence fails); ab and Node are tried where
they are. Whatever holds a connection open holds a worker of the blocking kind, so those models are asked
with as many connections as they have workers.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
from serving import PATIENCE, serve
from test_contract import MODELS

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


def run(tool, *args, **options):
    """Run a tool to its end and return what it printed; skip where it is not installed."""
    if not shutil.which(tool):
        if tool in MANDATORY and os.environ.get("EVOLUTION_REQUIRE_TOOLS") == "1":
            pytest.fail(f"{tool} is not installed, and EVOLUTION_REQUIRE_TOOLS=1 asks for it")
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        [tool, *map(str, args)], capture_output=True, text=True, timeout=3 * PATIENCE, **options
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
