"""Each example runs on a virtual board, with real peers on loopback, and does what it says."""

from __future__ import annotations

import http.server
import itertools
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import require

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PAGE = bytes(range(256)) * 20

#: Each test has a network of its own on loopback: the host is .1, the board .2.
_networks = (f"127.{180 + os.getpid() % 20}.{number}" for number in itertools.count(1))


def test_every_example_has_its_test() -> None:
    here = Path(__file__).read_text()
    assert [path.name for path in sorted(EXAMPLES.glob("*.py")) if f'"{path.name}"' not in here] == []


def command(name: str, *arguments: str, network: str | None = None, hosts: str = "") -> list[str]:
    settings = [f"address={network}.2"] if network else []
    settings += [f"hosts={hosts}"] if hosts else []
    return [sys.executable, str(EXAMPLES / name), "--port", "virtual:?" + "&".join(settings), *arguments]


def output(name: str, *arguments: str, network: str | None = None, hosts: str = "") -> list[str]:
    """The lines that an example prints, run to its end."""
    run = subprocess.run(
        command(name, *arguments, network=network, hosts=hosts), capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.splitlines()


def place(process: subprocess.Popen[str]) -> tuple[str, int]:
    """Where the board of an example listens, by the line that says it."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    ip, _, port = line.partition(":")
    assert port, process.stderr and line + process.stderr.read()
    return ip, int(port)


def receive_all(peer: socket.socket) -> bytes:
    received = b""
    while data := peer.recv(4096):
        received += data
    return received


@contextmanager
def running(name: str, *arguments: str, network: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(name, *arguments, network=network), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
            output, errors = process.communicate(timeout=60)
            assert process.returncode == 0, output + errors
        finally:
            process.kill()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"asked for {self.path} of {self.headers['Host']}\n".encode() + PAGE)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_server(network: str) -> Iterator[int]:
    with http.server.ThreadingHTTPServer((f"{network}.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def listener(network: str) -> Iterator[tuple[socket.socket, int]]:
    with socket.create_server((f"{network}.1", 0)) as server:
        server.settimeout(30)
        yield server, server.getsockname()[1]


def test_fetch_page() -> None:
    network = next(_networks)
    with web_server(network) as port:
        lines = output("fetch_page.py", f"http://{network}.1:{port}/page", network=network)
    assert lines == ["HTTP/1.0 200 OK", f"{len(PAGE) + len(f'asked for /page of {network}.1') + 1} bytes"]


def test_tcp_server() -> None:
    with running("tcp_server.py", "--requests", "2", network=next(_networks)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, process.stderr and process.stderr.read()
        for _ in range(2):
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert b"Hello from the board" in answer.read()


def test_net_create() -> None:
    client, server, listening, closed = output("net_create.py", network=next(_networks))
    assert client.startswith("a client: <TCPSocket") and server.startswith("a server: <TCPServer")
    assert listening == "it listens on (8080, '0.0.0.0')" and closed == "and now on (None, None)"


def test_net_server_listen() -> None:
    with running("net_server_listen.py", "--tcp-port", "8080", "--clients", "1", network=next(_networks)) as process:
        with socket.create_connection(place(process), timeout=30) as client:
            assert client.recv(11, socket.MSG_WAITALL) == b"hello world"
            client.sendall(b"good day")
            receive_all(client)
        assert process.stdout is not None and process.stdout.readline() == "good day\n"


def test_net_socket_dns() -> None:
    assert output("net_socket_dns.py", hosts="www.nodemcu.com=203.0.113.7") == ["203.0.113.7"]


def test_net_socket_on() -> None:
    network = next(_networks)
    with web_server(network) as port:
        lines = output(
            "net_socket_on.py", "--tcp-port", str(port), network=network, hosts=f"httpbin.org={network}.1"
        )  # fmt: skip
    assert lines[0] == "HTTP/1.0 200 OK" and "asked for /get of httpbin.org" in lines and lines[-1] == "the end"


def test_net_socket_buffer() -> None:
    network = next(_networks)
    with web_server(network) as port:
        lines = output("net_socket_buffer.py", "--host", f"{network}.1", "--tcp-port", str(port), network=network)
    ((size, _, _, frames, _),) = (line.split() for line in lines)
    assert int(size) > len(PAGE) and int(frames) >= len(PAGE) / 1460


def test_net_socket_send_table() -> None:
    with running(
        "net_socket_send_table.py", "--tcp-port", "8080", "--clients", "1", network=next(_networks)
    ) as process:
        with socket.create_connection(place(process), timeout=30) as client:
            client.sendall(b"anything")
            assert receive_all(client) == b"lots of dataeven more datae.g. content read from a file"


def test_net_socket_send_callbacks() -> None:
    network = next(_networks)
    with listener(network) as (server, port):
        with running(
            "net_socket_send_callbacks.py", "--host", f"{network}.1", "--tcp-port", str(port), network=network
        ):
            connection, _ = server.accept()
            with connection:
                connection.settimeout(30)
                assert receive_all(connection).splitlines() == [
                    b"header", b"some large chunk of dynamically loaded data", b"even more dynamically loaded data"
                ]  # fmt: skip


def test_net_socket_ttl() -> None:
    network = next(_networks)
    with listener(network) as (_, port):
        lines = output("net_socket_ttl.py", "--host", f"{network}.1", "--tcp-port", str(port), network=network)
    assert sorted(lines) == ["connected", "from now on:  1", "time to live: 255"]


def test_net_udp_echo() -> None:
    nc = require("nc")
    with running("net_udp_echo.py", "--datagrams", "1", network=next(_networks)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "local UDP socket address / port: 0.0.0.0:5000\n"
        ip, port = place(process)
        answer = subprocess.run([nc, "-w1", "-u", ip, str(port)], input=b"foo", capture_output=True, timeout=30)
        assert answer.stdout == b"echo: foo"
        assert process.stdout.readline().startswith("received 'foo' from ")


def test_net_dns_servers() -> None:
    before, none, first, second = output("net_dns_servers.py", network=(network := next(_networks)))
    assert (before, none) == (f"{network}.1", "None") and (first, second) == ("8.8.8.8", "192.168.1.252")


def test_net_dns_resolve() -> None:
    lines = output("net_dns_resolve.py", hosts="www.google.com=203.0.113.8")
    assert lines == ["203.0.113.8", "www.google.com is 203.0.113.8"]


def test_sync_script() -> None:
    run = subprocess.run(command("sync_script.py"), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "one plus one: 2" in run.stdout
    assert "level of the LED's pin: 1" in run.stdout


def test_move_data() -> None:
    run = subprocess.run(command("move_data.py", "--kilobytes", "20"), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert [line[:12] for line in lines] == ["to the board", "to the host:"] and "20 kB in" in lines[0]
