"""Each example runs on a virtual board, with real peers on loopback, and does what it says."""

from __future__ import annotations

import hashlib
import http.server
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.programs import require
from tests.virtual.modules.tls_bench import Identity, issue

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PAGE = bytes(range(256)) * 20

#: Each test has a network of its own on loopback: the host is .1, the board .2.
_networks = (f"127.{180 + os.getpid() % 20}.{number}" for number in itertools.count(1))


def test_every_example_has_its_test() -> None:
    here = Path(__file__).read_text()
    assert [path.name for path in sorted(EXAMPLES.glob("*.py")) if f'"{path.name}"' not in here] == []


def test_every_example_says_how_it_is_started() -> None:
    wrong = [path.name for path in EXAMPLES.glob("*.py") if f"python examples/{path.name}" not in path.read_text()]
    assert wrong == []


def command(name: str, *arguments: str, network: str | None = None, **options: str) -> list[str]:
    """How to run an example on a virtual board with an address on a network, and with other options."""
    if network is not None:
        options["address"] = f"{network}.2"
    query = "&".join(f"{option}={value}" for option, value in options.items())
    return [sys.executable, str(EXAMPLES / name), "--port", f"virtual:?{query}", *arguments]


def output(name: str, *arguments: str, network: str | None = None, **options: str) -> list[str]:
    """The lines that an example prints, run to its end."""
    run = subprocess.run(
        command(name, *arguments, network=network, **options), capture_output=True, text=True, timeout=60
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
def running(name: str, *arguments: str, network: str, **options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(name, *arguments, network=network, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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
def web_server(network: str, handler: type[Page] = Page) -> Iterator[int]:
    with http.server.ThreadingHTTPServer((f"{network}.1", 0), handler) as server:
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


def test_fetch_page_sends_the_question_and_says_what_is_no_address() -> None:
    network = next(_networks)
    with web_server(network) as port:
        lines = output("fetch_page.py", f"http://{network}.1:{port}/page?of=it", network=network)
        assert lines[1] == f"{len(PAGE) + len(f'asked for /page?of=it of {network}.1') + 1} bytes"
    run = subprocess.run(command("fetch_page.py", "nonsense"), capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (1, "nonsense is no address of a page: write http://HOST/PATH\n")


def test_proxy() -> None:
    require("curl")
    network = next(_networks)
    with web_server(network) as port:
        run = subprocess.run(
            command("proxy.py", f"http://web.test:{port}/page", network=network, hosts=f"web.test={network}.1"),
            capture_output=True, timeout=60,
        )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout == f"asked for /page of web.test:{port}\n".encode() + PAGE


PAGES = {
    "/": "<title>Front</title><a href='/one'>1</a> <a href='two.html#there'>2</a> <a href='http://elsewhere.test/'>3</a>",
    "/one": "<title>The first</title><a href='/'>back</a>",
    "/two.html": "<title>The second</title><a href='/gone'>on</a>",
}


class Site(Page):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        self.send_response(200 if page else 404)
        self.end_headers()
        self.wfile.write((page or "").encode())


def test_web_scraper() -> None:
    network = next(_networks)
    with web_server(network, Site) as port:
        arguments = ("--pages", "4", f"http://site.test:{port}/")
        lines = output("web_scraper.py", *arguments, network=network, hosts=f"site.test={network}.1")
    assert lines[0] == "/: Front" and sorted(lines[1:3]) == ["/one: The first", "/two.html: The second"]
    assert len(lines) == 4 and lines[3].startswith("/gone: Client error '404 Not Found'")


def test_web_server() -> None:
    with running("web_server.py", "--tcp-port", "8080", network=next(_networks)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, process.stderr and process.stderr.read()
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert b"bytes of its heap are free" in answer.read()
        with urllib.request.urlopen(f"{url}pins/4", timeout=30) as answer:
            assert json.load(answer) == {"pin": 4, "level": 1}
        process.send_signal(signal.SIGINT)


@contextmanager
def mosquitto(network: str, folder: Path) -> Iterator[tuple[int, list[str]]]:
    """The broker; gives its port, and a list that has what it said once it has ended."""
    program, said = require("mosquitto"), list[str]()
    with listener(network) as (_, port):
        pass
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} {network}.1\nallow_anonymous true\nlog_type all\n")
    with subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while not said or "running" not in said[-1]:
                said.append(process.stderr.readline())
                assert said[-1], said
            yield port, said
        finally:
            process.terminate()
            said += process.communicate(timeout=30)[1].splitlines()


def test_mqtt_client(tmp_path: Path) -> None:
    network = next(_networks)
    with mosquitto(network, tmp_path) as (port, said):
        arguments = ("--tcp-port", str(port), "--topic", "a/topic", "broker.test", "over the board")
        lines = output("mqtt_client.py", *arguments, network=network, hosts=f"broker.test={network}.1")
    assert lines == ["the broker says: Success", "a/topic: over the board"]
    assert any(f"New client connected from {network}.2:" in line for line in said), said


def test_mqtt_client_without_a_broker() -> None:
    network = next(_networks)
    with listener(network) as (_, port):
        pass
    arguments = ("--tcp-port", str(port), f"{network}.1", "nobody hears it")
    run = subprocess.run(
        command("mqtt_client.py", *arguments, network=network), capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1 and run.stdout == ""
    assert "refuses the connection" in run.stderr and len(run.stderr.splitlines()) == 1


def test_tcp_server() -> None:
    with running("tcp_server.py", "--requests", "2", network=next(_networks)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, process.stderr and process.stderr.read()
        for _ in range(2):
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert b"Hello from the board" in answer.read()


def test_tcp_server_ends_quietly() -> None:
    with running("tcp_server.py", network=next(_networks)) as process:
        assert process.stdout is not None and process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")


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


@contextmanager
def openssl(network: str, *arguments: str, folder: Path | None = None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """`openssl s_server`; gives its port."""
    command = [require("openssl"), "s_server", "-accept", f"{network}.1:0", "-tls1_2", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, cwd=folder
    ) as process:
        try:
            assert process.stdout is not None
            while not (line := process.stdout.readline()).startswith(b"ACCEPT"):
                assert line, "openssl has ended"
            yield int(line.rpartition(b":")[2]), process
        finally:
            process.kill()


def read_until(pipe: IO[bytes], word: bytes) -> None:
    """Read what a program prints, with no line end, until it has said a word."""
    said = b""
    while word not in said:
        ready, _, _ = select.select([pipe], [], [], 30)
        assert ready and (more := os.read(pipe.fileno(), 4096)), said
        said += more


def files(folder: Path, **identities: Identity) -> dict[str, str]:
    """Writes certificates and keys; gives their paths by name: "server" and "server_key"."""
    paths = {}
    for name, identity in identities.items():
        for suffix, text in (("", identity.certificate), ("_key", identity.key)):
            path = folder / f"{name}{suffix}.pem"
            path.write_bytes(text)
            paths[name + suffix] = str(path)
    return paths


def web_root(folder: Path) -> Path:
    """What `openssl s_server -HTTP` answers, for its working folder."""
    (folder / "info").write_bytes(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall is well\n")
    return folder


def test_tls_socket_on(tmp_path: Path) -> None:
    network, paths = next(_networks), files(tmp_path, server=issue("server"))
    identity = ["-cert", paths["server"], "-key", paths["server_key"]]
    with openssl(network, *identity, "-HTTP", folder=web_root(tmp_path)) as (port, _):
        arguments = ("--tcp-port", str(port), "--path", "/info")
        lines = output("tls_socket_on.py", *arguments, network=network, hosts=f"google.com={network}.1")
    assert lines[:2] == [f"from {network}.1 {port}", "HTTP/1.0 200 OK"] and lines[-2:] == ["all is well", "the end"]


def test_tls_cert_verify(tmp_path: Path) -> None:
    network, ca = next(_networks), issue("somebody", ca=True)
    paths = files(tmp_path, ca=ca, stranger=issue("stranger"), server=issue("server", issuer=ca))
    flash = str(tmp_path / "flash.bin")

    def run(name: str, *arguments: str) -> list[str]:
        identity = ["-cert", paths[name], "-key", paths[f"{name}_key"]]
        with openssl(network, *identity, "-HTTP", folder=web_root(tmp_path)) as (port, _):
            return output(
                "tls_cert_verify.py", "--host", f"{network}.1", "--tcp-port", str(port), *arguments,
                network=network, flash_file=flash,
            )  # fmt: skip

    assert run("server", "--ca", paths["ca"]) == ["HTTP/1.0 200 OK"]
    assert run("server") == ["HTTP/1.0 200 OK"], "the certificate is in the flash"
    assert run("stranger") == ["not believed, or not there"]


def test_tls_cert_auth(tmp_path: Path) -> None:
    network, ca = next(_networks), issue("somebody", ca=True)
    paths = files(tmp_path, ca=ca, server=issue("server", issuer=ca), board=issue("board", "rsa", ca))
    own = ["--certificate", paths["board"], "--key", paths["board_key"], "--ca", paths["ca"]]
    broker = ["-cert", paths["server"], "-key", paths["server_key"], "-CAfile", paths["ca"], "-Verify", "1"]
    # To sign with an RSA key of 2048 bits takes more heap than a board with the agent has.
    options = {"network": network, "flash_file": str(tmp_path / "flash.bin"), "heap": "56000"}
    with openssl(network, *broker, "-verify_return_error") as (port, process):
        assert process.stdout is not None and process.stdin is not None
        place = ["--host", f"{network}.1", "--tcp-port", str(port)]
        for arguments in (own, []):  # the second run shows what the first has written
            with running("tls_cert_auth.py", *place, *arguments, **options) as example:
                read_until(process.stdout, b"MQTT")
                process.stdin.write(b"\x20\x02\x00\x00")
                assert example.stdout is not None and example.stdout.readline() == "the broker says 0\n"


def test_notebook() -> None:
    network = next(_networks)
    with web_server(network) as port:
        url = f"http://web.test:{port}/page"
        lines = output("notebook.py", "--times", "2", url, network=network, hosts=f"web.test={network}.1")
    assert lines[1:3] == [f"web.test is {network}.1", "first byte  last byte   bytes   heap"]
    rows = [line.split() for line in lines[3:]]
    assert len(rows) == 2
    for first, _, last, _, size, heap in rows:
        assert 0 < float(first) <= float(last) and int(size) > len(PAGE) and int(heap) > 10_000


def test_notebook_and_a_server_that_is_not_there() -> None:
    network = next(_networks)
    with listener(network) as (_, port):
        pass
    run = subprocess.run(
        command("notebook.py", f"http://{network}.1:{port}/", network=network),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1 and "refuses the connection" in run.stderr.splitlines()[-1]


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


def test_board_tools() -> None:
    run = subprocess.run(command("board_tools.py"), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    said = run.stdout
    assert "NodeMCU 3.0.0" in said and "a file says: kept on the board\n" in said
    assert "files: {'greeting.txt': 18000}" in said and "network virtual on channel 6: -51 dBm" in said
    assert said.splitlines()[-3:] == ["tick 1", "tick 2", "tick 3"]


def test_files(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "init.lua").write_bytes(b"print('hi')\n")
    (tmp_path / "www" / "index.html").write_bytes(PAGE)
    run = subprocess.run(command("files.py", str(tmp_path)), capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    digest = hashlib.sha256(PAGE).hexdigest()[:16]
    lines = run.stdout.splitlines()
    assert lines[:2] == [
        "first: sent init.lua, www/index.html, 0 were the same",
        "again: sent nothing, 2 were the same",
    ]
    assert lines[3] == f"www/index.html: {len(PAGE)} bytes, sha256 {digest}…" and lines[4].startswith("room for a file")
    assert lines[5:] == ["sent 14000 bytes, compared by sha256", "it says: from the host"]
