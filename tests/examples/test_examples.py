"""Each example runs on a virtual board and does what it says."""

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

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PAGE = bytes(range(256)) * 20

#: Each test has a network of its own on loopback: the host is .1, the board .2.
_networks = (f"127.{180 + os.getpid() % 20}.{number}" for number in itertools.count(1))


def test_every_example_has_its_test() -> None:
    here = Path(__file__).read_text()
    assert [path.name for path in sorted(EXAMPLES.glob("*.py")) if f'"{path.name}"' not in here] == []


def command(name: str, *arguments: str, network: str | None = None) -> list[str]:
    port = f"virtual:?address={network}.2" if network else "virtual:"
    return [sys.executable, str(EXAMPLES / name), "--port", port, *arguments]


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
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


def test_fetch_page() -> None:
    network = next(_networks)
    with http.server.ThreadingHTTPServer((f"{network}.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://{network}.1:{server.server_port}/page"
        run = subprocess.run(command("fetch_page.py", url, network=network), capture_output=True, text=True, timeout=60)
        server.shutdown()
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["HTTP/1.0 200 OK", f"{len(PAGE)} bytes"]


def test_tcp_server() -> None:
    with running("tcp_server.py", "--requests", "2", network=next(_networks)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, process.stderr and process.stderr.read()
        for _ in range(2):
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert b"Hello from the board" in answer.read()


def test_udp_echo() -> None:
    network = next(_networks)
    with running("udp_echo.py", "--datagrams", "2", network=network) as process:
        assert process.stdout is not None
        ip, _, port = process.stdout.readline().strip().partition(":")
        assert ip, process.stderr and process.stderr.read()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((f"{network}.1", 0))
            peer.settimeout(30)
            for data in (b"one", b"two" * 100):
                peer.sendto(data, (ip, int(port)))
                assert peer.recv(2000) == data


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
