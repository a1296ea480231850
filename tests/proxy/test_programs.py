"""Real programs over the real command: a virtual board by RFC 2217, `nodemcu-bridge proxy`, servers on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from python_socks import ProxyError
from python_socks.async_.asyncio import Proxy as SocksProxy

from tests.board_process import announced, board_process
from tests.programs import require
from tests.proxy.servers import datagram_server
from tests.proxy.socks_client import UDP, SocksClient
from tests.proxy.test_associate import Datagrams, Names

#: Seconds for what crosses a line at most at 92 KB/s.
PATIENCE = 100


class _Pages(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Rig:
    """What the programs have."""

    proxy: str
    """Where the proxy listens."""
    web: str
    """The root of a web server, by the name that the board knows."""
    folder: Path
    """What the web server serves."""


@contextlib.contextmanager
def proxy_process(board: str, *options: str, **environment: str) -> Iterator[str]:
    """Run `nodemcu-bridge proxy`; gives where it listens. It has to end by SIGTERM with nothing to complain of."""
    command = [sys.executable, "-m", "bridge.cli", "proxy", "--port", board, "--listen", "127.0.0.1:0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("SOCKS5 and HTTP on "), process.communicate()
        yield line.split()[-1]
    finally:
        process.terminate()
        try:
            out, err = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert (process.returncode, out, err.strip()) == (143, "", "nodemcu-bridge: ended by SIGTERM")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """A board, a web server, and its folder."""
    folder = tmp_path_factory.mktemp("web")
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *values: _Pages(*values, directory=str(folder)))
    thread = threading.Thread(target=pages.serve_forever)
    thread.start()
    try:
        with board_process("--rfc2217", "127.0.0.1:0", "--hosts", "web.test=127.0.0.1") as process:
            yield announced(process)[1], f"http://web.test:{pages.server_address[1]}", folder
    finally:
        pages.shutdown()
        pages.server_close()
        thread.join()


@pytest.fixture
def rig(served: tuple[str, str, Path]) -> Iterator[Rig]:
    board, web, folder = served
    with proxy_process(board) as proxy:
        yield Rig(proxy, web, folder)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(command, capture_output=True, timeout=PATIENCE, env={**clean, **environment})


def test_curl_fetches_a_megabyte_by_a_name_that_the_board_resolves(rig: Rig) -> None:
    data = Random(1).randbytes(1_000_000)
    (rig.folder / "megabyte").write_bytes(data)
    fetched = run(require("curl"), "-sS", "-w", "%{stderr}%{speed_download}", "--socks5-hostname", rig.proxy,
                  f"{rig.web}/megabyte")  # fmt: skip
    assert hashlib.sha256(fetched.stdout).digest() == hashlib.sha256(data).digest(), fetched.stderr
    print(f"1 MB by SOCKS5 at {float(fetched.stderr) / 1000:.1f} KB/s")


@pytest.mark.parametrize(
    "options", [["-x", "http://{proxy}"], ["-p", "-x", "http://{proxy}"], ["-x", "socks5://{proxy}"]]
)
def test_curl_by_http_by_a_tunnel_and_by_an_address(rig: Rig, options: list[str]) -> None:
    (rig.folder / "page").write_text("words")
    web = rig.web.replace("web.test", "127.0.0.1") if options[-1].startswith("socks5:") else rig.web
    options = [each.format(proxy=rig.proxy) for each in options]
    assert run(require("curl"), "-sS", *options, f"{web}/page").stdout == b"words"


@pytest.mark.parametrize(
    ("target", "code"), [("http://127.0.0.1:1/", b"(5)"), ("http://nobody.test/", b"(4)"), ("http://[::1]:80/", b"(8)")]
)
def test_curl_hears_why(rig: Rig, target: str, code: bytes) -> None:
    failed = run(require("curl"), "-sS", "-x", f"socks5h://{rig.proxy}", target)
    assert failed.returncode == 97 and code in failed.stderr


def test_git_clones_a_repository(rig: Rig, tmp_path: Path) -> None:
    git = require("git")
    author = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
              (("NAME", "A"), ("EMAIL", "a@example.com"))}  # fmt: skip
    source = tmp_path / "source"
    steps = [["init", "-q", str(source)]]
    for number in range(3):
        steps += [["-C", str(source), "add", "."], ["-C", str(source), "commit", "-q", "-m", f"Step {number}"]]
    source.mkdir()
    for number, step in enumerate(steps):
        (source / f"file{number}").write_bytes(Random(number).randbytes(2000))
        done = run(git, *step, **author)
        assert done.returncode == 0, done.stderr
    bare = rig.folder / "repository.git"
    assert run(git, "clone", "-q", "--bare", str(source), str(bare)).returncode == 0
    assert run(git, "-C", str(bare), "update-server-info").returncode == 0
    cloned = tmp_path / "clone"
    done = run(git, "-c", f"http.proxy=socks5h://{rig.proxy}", "clone", "-q", f"{rig.web}/repository.git", str(cloned))
    assert done.returncode == 0, done.stderr
    heads = [run(git, "-C", str(each), "rev-parse", "HEAD").stdout for each in (source, cloned)]
    assert heads[0] == heads[1] and len(heads[0]) == 41


def test_ab_with_fifty_clients_for_five_slots(rig: Rig) -> None:
    (rig.folder / "small").write_bytes(bytes(500))
    done = run(require("ab"), "-q", "-n", "200", "-c", "50", "-s", "90", "-X", rig.proxy, f"{rig.web}/small")
    said = done.stdout.decode()
    print(said)
    assert re.search(r"Complete requests: +200\n", said) and re.search(r"Failed requests: +0\n", said), done.stderr
    assert "Non-2xx" not in said


def test_dig_asks_a_dns_server_by_udp_associate(rig: Rig) -> None:
    dig, host = require("dig"), "127.0.0.1"

    async def main() -> tuple[bytes, bytes]:
        loop = asyncio.get_running_loop()
        name, _, port = rig.proxy.rpartition(":")
        async with datagram_server(host, Names) as names, SocksClient(name, int(port)) as client:
            code, *where = await client.request(UDP, "0.0.0.0", 0)
            assert code == 0

            class Front(asyncio.DatagramProtocol):
                """Takes dig's question and puts the header of SOCKS5 before it, which dig cannot."""

                def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                    self.asker = addr
                    udp.send(host, names, data)

            _, udp = await loop.create_datagram_endpoint(Datagrams, remote_addr=(where[0], where[1]))
            transport, front = await loop.create_datagram_endpoint(Front, local_addr=(host, 0))
            asked = await asyncio.create_subprocess_exec(
                dig, f"@{host}", "-p", str(transport.get_extra_info("sockname")[1]), "example.com", "+short",
                "+noedns", "+time=30", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            transport.sendto((await udp.next())[1], front.asker)
            answer = await asked.communicate()
            transport.close()
            udp.transport.close()
            return answer

    assert asyncio.run(main()) == (b"10.0.0.7\n", b"")


def test_python_socks_with_user_and_password(served: tuple[str, str, Path]) -> None:
    board, web, folder = served
    (folder / "page").write_text("words")

    async def fetch(proxy: str) -> bytes:
        port = int(web.rpartition(":")[2])
        sock = await SocksProxy.from_url(proxy, rdns=True).connect("web.test", port, timeout=PATIENCE)
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(b"GET /page HTTP/1.0\r\n\r\n")
        try:
            return await reader.read()
        finally:
            writer.close()

    with proxy_process(board, "--auth-env", "PROXY_LOGIN", PROXY_LOGIN="me:hunter2") as proxy:
        assert asyncio.run(fetch(f"socks5://me:hunter2@{proxy}")).endswith(b"words")
        assert asyncio.run(fetch(f"http://me:hunter2@{proxy}")).endswith(b"words")
        for wrong in ("socks5://me:hunter3@", "socks5://", "http://me:hunter3@", "http://"):
            with pytest.raises(ProxyError):
                asyncio.run(fetch(f"{wrong}{proxy}"))
        assert run(require("curl"), "-sS", "-x", f"http://me:hunter2@{proxy}", f"{web}/page").stdout == b"words"
        assert b"407" in run(require("curl"), "-sS", "-p", "-x", f"http://{proxy}", f"{web}/page").stderr
