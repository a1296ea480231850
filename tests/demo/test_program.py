from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.demo.program import main, own_address, page_of
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217


def ends_well(out: str, size: int) -> None:
    """The last lines: page hash, bytes moved, the answer of the server on the board."""
    page, moved, answer = out.rstrip().splitlines()[-3:]
    assert page.startswith("page hash equal: sha256 " + hashlib.sha256(page_of(size)).hexdigest()[:16])
    assert f"{size} bytes in" in page
    found = re.fullmatch(r"bytes moved over the serial line: (\d+)", moved)
    assert found and int(found.group(1)) > size
    assert re.fullmatch(r"the board's TCP server answered: you said hello, my free heap is \d+ bytes", answer)


def test_the_whole_demo_on_an_embedded_board() -> None:
    done = subprocess.run([sys.executable, "-m", "bridge.demo"], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    ends_well(done.stdout, 100_000)
    titles = [line[3:23].strip() for line in done.stdout.splitlines() if re.match(r" ?\d+ ", line)]
    assert titles == [
        "Make an image", "Flash with esptool", "Boot", "Probe", "Bootstrap", "Mirror a socket", "Resolve a name",
        "Fetch a page", "Serve on the board",
    ]  # fmt: skip


def test_on_a_port_as_with_a_real_board() -> None:
    async def scenario() -> None:
        options = VirtualOptions(hosts="example.com=127.0.0.1", cpu=0, baud_pacing=False)
        async with VirtualBoard(options) as board:
            await board.answered()
            server = await serve_rfc2217(board)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge.demo", "--port", server.url, "--size", "20000",
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, err = await process.communicate()
            await server.close()
        assert (process.returncode, err) == (0, b""), out.decode()
        assert "must run NodeMCU with the module net" in out.decode()
        ends_well(out.decode(), 20_000)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--port", "/dev/nosuchport"], 1, "There is no port /dev/nosuchport"),
        (["--port", "/dev/nosuchport", "--image", "nosuchfile"], 2, "nosuchfile cannot be read"),
        (["--size", "0"], 2, "no page"),
    ],
)
def test_wrong_use(arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert words in said and "Traceback" not in said and len(said.strip().splitlines()) == 1


def test_pages_have_their_size_and_addresses_their_network() -> None:
    assert [len(page_of(size)) for size in (1, 32, 100_000)] == [1, 32, 100_000]
    assert own_address("127.9.8.7") == "127.0.0.1"


def test_help_imports_nothing_of_a_checkout(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge.demo", "--help"], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0 and "--port URL" in done.stdout
