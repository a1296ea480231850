"""`nodemcu-bridge forward` as a process, on a virtual board over RFC 2217."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.opening import open_board
from tests.cli.invoke import BOARD, invoke
from tests.forward.rig import Rig, rig
from tests.heap_baseline import free_heap

COMMAND = [sys.executable, "-m", "bridge.cli", "forward"]


@pytest.fixture(scope="module")
def board_rig() -> Iterator[Rig]:
    with rig() as made:
        yield made


@contextmanager
def forwarding(board_rig: Rig, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", board_rig.url, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()  # it leaves the board as it was
            process.communicate(timeout=60)


def exchange(address: tuple[str, int], server: socket.socket) -> None:
    """Connect somewhere, and see that it arrives at a server."""
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(b"question")
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(30)
            assert accepted.recv(8, socket.MSG_WAITALL) == b"question"
            accepted.sendall(b"answer")
            assert client.recv(6, socket.MSG_WAITALL) == b"answer"


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_both_ways_until_a_signal(board_rig: Rig, number: signal.Signals, code: int, word: str) -> None:
    with (
        socket.create_server((board_rig.host, 0)) as far, socket.create_server(("127.0.0.1", 0)) as near,
        forwarding(
            board_rig, "-L", f"0:{board_rig.host}:{far.getsockname()[1]}", "-R", f"0:127.0.0.1:{near.getsockname()[1]}"
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        here = first.split(" → ")[0].split(":")
        there = second.split(" → ")[0].removeprefix("board ").split(":")
        assert here[0] == "127.0.0.1" and there[0] == f"{board_rig.network}.2"
        assert first.endswith(f" → board → {board_rig.host}:{far.getsockname()[1]}\n")
        exchange((here[0], int(here[1])), far)
        exchange((there[0], int(there[1])), near)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (code, "") and word in err and "Traceback" not in err, err
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((here[0], int(here[1])))


def test_json_says_what_was_chosen(board_rig: Rig) -> None:
    with forwarding(board_rig, "--json", "-L", "udp:0:192.0.2.1:53", "-R", "8080:localhost:3000") as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["port"] == board_rig.url
        first, second = said["forwards"]
        assert first.pop("port") > 0
        assert first == {
            "listens": "here", "protocol": "udp", "address": "127.0.0.1", "host": "192.0.2.1", "host_port": 53
        }  # fmt: skip
        assert second == {
            "listens": "board", "protocol": "tcp", "address": f"{board_rig.network}.2", "port": 8080,
            "host": "localhost", "host_port": 3000,
        }  # fmt: skip


def test_a_reset_is_told_and_the_forward_goes_on(board_rig: Rig) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as near,
        forwarding(board_rig, "-R", f"0:127.0.0.1:{near.getsockname()[1]}") as process,
    ):
        assert process.stdout is not None and process.stderr is not None
        ip, port = process.stdout.readline().split(" → ")[0].removeprefix("board ").split(":")
        board_rig.press_reset()
        lines = [process.stderr.readline() for _ in range(3)]
        assert any("The board restarts" in line for line in lines) and any("listens again" in line for line in lines)
        exchange((ip, int(port)), near)


def test_a_proxy_beside_a_forward(board_rig: Rig) -> None:
    with (
        socket.create_server((board_rig.host, 0)) as far,
        forwarding(board_rig, "-D", "0", "-L", f"0:here.test:{far.getsockname()[1]}", "--json") as process,
    ):
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        [proxy] = said["proxies"]
        target = f"here.test:{far.getsockname()[1]}"
        with socket.create_connection((proxy["address"], proxy["port"]), timeout=30) as client:
            client.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            accepted, _ = far.accept()
            with accepted:
                accepted.sendall(b"through")
                answer = b""
                while not answer.endswith(b"through"):
                    answer += client.recv(4096)
                assert answer.startswith(b"HTTP/1.1 200 ")
        exchange((said["forwards"][0]["address"], said["forwards"][0]["port"]), far)


def test_the_time_it_was_given(board_rig: Rig) -> None:
    with forwarding(board_rig, "-L", "0:a.test:80", "--for", "0.2") as process:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "") and out.endswith(" → board → a.test:80\n")


def test_ports_that_are_taken(board_rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with forwarding(board_rig, "-L", f"{port}:a.test:80") as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, "")
        said = f"TCP port 127.0.0.1:{port} of this computer is taken. Choose another, or 0 for a free one."
        assert err == f"nodemcu-bridge: {said}\n"
    with forwarding(board_rig, "-R", "8088:a:1", "-R", "8088:b:1") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "") and "TCP port 8088 of the board is taken." in err


def test_what_is_wrong_opens_no_board(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, said in (
        ([], "There is nothing to forward"),
        (["-L", "80"], "-L 80 is no forward. Write -L [udp:][address:]port:host:port"),
        (["-R", "80:a:b:c:d"], "-R 80:a:b:c:d is no forward."),
        (["-L", "1:a:2"], "A forward cannot live on the virtual clock."),
        (["-L", "1:a:2", "--for", "0"], "is not a time"),
        (["-D", "a:b:1080"], "-D a:b:1080 is no forward. Write -D [address:]port"),
        (["-D", "*:1080"], "0.0.0.0"),
    ):
        code, out, err = invoke(capfd, "forward", *arguments, "--port", BOARD)
        assert (code, out) == (2, "") and said in err, err


@pytest.mark.parametrize("lua", ["5.3", pytest.param("5.1", marks=pytest.mark.nightly)])
def test_one_that_was_killed_leaves_its_ports_and_its_heap_to_the_next(lua: str) -> None:
    """With a client in mid-stream. What it has left goes when the next program opens the board."""

    async def free(url: str) -> int:
        async with open_board(url, speeds=()) as board:
            return await free_heap(board)

    quick = ("--lua", lua, "--no-baud-pacing", "--cpu", "0", "--adapter-latency-ms", "0")
    with rig(*quick) as made, socket.create_server(("127.0.0.1", 0)) as near:
        wanted = ("-R", f"8080:127.0.0.1:{near.getsockname()[1]}", "-R", "udp:5000:127.0.0.1:9")
        before = asyncio.run(free(made.url))
        with forwarding(made, *wanted) as doomed:
            assert doomed.stdout is not None and doomed.stdout.readline() and doomed.stdout.readline()
            with socket.create_connection((f"{made.network}.2", 8080), timeout=30) as client, near.accept()[0] as there:
                there.sendall(b"x" * 4000)
                client.recv(1)
                doomed.kill()
                doomed.communicate()
                with forwarding(made, *wanted) as process:
                    assert process.stdout is not None and process.stdout.readline() and process.stdout.readline()
                    exchange((f"{made.network}.2", 8080), near)
        assert asyncio.run(free(made.url)) > before - 500
