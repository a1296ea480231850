"""`nodemcu-bridge proxy`: what it takes, what it prints, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

from bridge.cli.proxy import Listening, ProxyOutput, Request
from tests.board_process import announced, board_process
from tests.cli.invoke import invoke

QUICK = "virtual:?baud_pacing=0&cpu=0&flash=0&adapter_latency_ms=0"
SCHEMA = Path(__file__).parent.parent.parent / "schemas" / "proxy.json"


def brief(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    return invoke(capfd, "proxy", "--port", QUICK, "--for", "0.1", *arguments)


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process, which is killed if it still runs at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", "proxy", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_first_line_says_where_it_listens(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = brief(capfd, "--listen", "127.0.0.1:0")
    assert (code, err) == (0, "")
    assert out.startswith("SOCKS5 and HTTP on 127.0.0.1:") and out.count("\n") == 1


@pytest.mark.parametrize("listen", ["0", "localhost:0", "127.9.9.9:0", "[::1]:0"])
def test_other_places_of_loopback(capfd: pytest.CaptureFixture[str], listen: str) -> None:
    code, out, err = brief(capfd, "--listen", listen)
    assert (code, err) == (0, "") and " on 127." in out or " on [::1]:" in out


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.7:1080"])
def test_a_place_that_others_reach_needs_a_login(capfd: pytest.CaptureFixture[str], listen: str) -> None:
    code, out, err = brief(capfd, "--listen", listen)
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "is open to other computers, so it needs a user and a password" in err


def test_with_a_login_it_is_open_to_others(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOGIN", "me:hunter2")
    code, out, err = brief(capfd, "--listen", "0.0.0.0:0", "--auth-env", "LOGIN")
    assert (code, err) == (0, "") and " on 0.0.0.0:" in out
    file = tmp_path / "login"
    file.write_text("me:hunter2\n")
    file.chmod(0o600)
    assert brief(capfd, "--listen", "0.0.0.0:0", "--auth-file", str(file))[0] == 0


@pytest.mark.parametrize(
    "listen", ["9" * 5_000, "", ":", "1080:", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "example.com:1080"]
)
def test_a_place_that_is_none(capfd: pytest.CaptureFixture[str], listen: str) -> None:
    code, out, err = brief(capfd, "--listen", listen)
    assert (code, out) == (2, "") and "Traceback" not in err and "127.0.0.1:1080" in err


@pytest.mark.parametrize(
    ("arguments", "variable", "said"),
    [
        (["--auth-env", "LOGIN"], None, "is not in the environment variable LOGIN"),
        (["--auth-env", "LOGIN"], "hunter2", "no colon between them"),
        (["--auth-env", "LOGIN"], "me:", "1 to 255 bytes"),
        (["--auth-env", ""], None, "nowhere"),
        (["--auth-file", "there-is-none"], None, "cannot be read"),
        (["--auth-file", "x", "--auth-env", "LOGIN"], "me:hunter2", "Give one of them"),
    ],
)
def test_a_login_that_is_none(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variable: str | None,
    said: str,
) -> None:
    monkeypatch.delenv("LOGIN", raising=False)
    if variable is not None:
        monkeypatch.setenv("LOGIN", variable)
    code, out, err = brief(capfd, *arguments)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1 and "hunter2" not in err


def test_a_file_that_others_read(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_text("me:hunter2\n")
    file.chmod(0o644)
    code, _, err = brief(capfd, "--auth-file", str(file))
    assert code == 2 and "chmod 600" in err and "hunter2" not in err


def test_the_virtual_clock_is_no_place_for_it(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = invoke(capfd, "proxy", "--port", "virtual:?clock=virtual")
    assert code == 2 and "virtual clock" in err


def test_a_port_that_is_taken(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = brief(capfd, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 1 and "Another program listens on" in err and err.count("\n") == 1


async def _asked(address: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(b"\x05\x01\x00\x05\x01\x00\x04" + bytes(18))
    assert (await reader.read())[3:4] == b"\x08"
    writer.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_json_lines_and_the_end_by_a_signal(number: signal.Signals) -> None:
    schema = json.loads(SCHEMA.read_text())
    with running("--port", QUICK, "--listen", "127.0.0.1:0", "--json") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        first = ProxyOutput.model_validate_json(lines[0]).root
        assert isinstance(first, Listening) and not first.login
        asyncio.run(_asked(first.address, first.port))
        lines.append(process.stdout.readline())
        second = ProxyOutput.model_validate_json(lines[1]).root
        assert isinstance(second, Request)
        assert (second.kind, second.target) == ("connect", ":::0")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 128 + number and out == "" and err.strip().count("\n") == 0
        for line in lines:
            jsonschema.Draft202012Validator(schema).validate(json.loads(line))


def test_the_password_stands_in_no_process_list() -> None:
    with running(
        "--port", QUICK, "--listen", "0.0.0.0:0", "-v", "--auth-env", "LOGIN", LOGIN="me:hunter2"
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdout.readline().startswith("SOCKS5")
        command = Path(f"/proc/{process.pid}/cmdline")
        if command.exists():
            assert b"hunter2" not in command.read_bytes() and b"LOGIN" in command.read_bytes()
        process.terminate()
        out, err = process.communicate(timeout=30)
        assert "hunter2" not in out + err


def test_a_board_that_goes_away_ends_it() -> None:
    with board_process("--rfc2217", "127.0.0.1:0") as board:
        with running("--port", announced(board)[1], "--listen", "127.0.0.1:0", "-v") as process:
            assert process.stdout is not None and process.stdout.readline().startswith("SOCKS5")
            board.terminate()
            board.wait(timeout=20)  # a second signal, while it ends, would end it at once
            _, err = process.communicate(timeout=60)
            assert process.returncode == 1 and err.count("\n") == 1 and "rfc2217://" in err
