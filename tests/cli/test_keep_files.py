from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.flashing.kept import Kept
from bridge.opening import open_board
from bridge.ports.open import open_port
from bridge.repl import run_line
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.buttons import hold_flash_and_press_reset
from tests.cli.invoke import invoke
from tests.images import image
from tests.test_flash import MANY
from tests.variants import by_night

MAC = "5c:cf:7f:01:02:03"
FILES = {"init2.lua": "print(1)", ".": "a dot", "Data": "x" * 3000, "data": "y"}
SIZE = 1 << 20


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the board's saved files."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "nodemcu-bridge" / "files" / "010203"


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A firmware that has its file system elsewhere."""
    path = tmp_path / "other.bin"
    path.write_bytes(image(",".join(sorted(MANY)), size=SIZE))
    return str(path)


@pytest.fixture
def same(tmp_path: Path) -> str:
    path = tmp_path / "same.bin"
    path.write_bytes(image(size=SIZE))
    return str(path)


@pytest.fixture
def url(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[str]:
    """A board with `FILES`."""
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&mac={MAC}&flash_size={SIZE}&flash_file={tmp_path / 'flash'}"
    for name, text in FILES.items():
        assert invoke(capfd, "exec", f"file.putcontents('{name}', '{text}')", "--port", url)[0] == 0
    yield url


def files(capfd: pytest.CaptureFixture[str], url: str) -> dict[str, str]:
    code, out, err = invoke(
        capfd, "exec", "for n in pairs(file.list()) do print(n..'\\t'..file.getcontents(n)) end", "--port", url
    )
    assert code == 0, err
    return dict(line.split("\t") for line in out.splitlines())


def cut_off(*arguments: str) -> str:
    """Run a command and kill it as soon as it has saved the files; returns what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stderr is not None
    said = b""
    while b"puts them back" not in said:
        more = os.read(process.stderr.fileno(), 4096)
        assert more, said
        said += more
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    return said.decode()


@pytest.mark.parametrize("erased", by_night([False, True], but=[True]), ids=["before the first byte", "while writing"])
def test_what_was_cut_off_is_put_right_by_the_same_command(
    erased: bool, url: str, same: str, kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ("flash", "--port", url, "--erase", "--keep-files", same)
    said = cut_off(*command)
    assert f"Saved {len(FILES)} files of the board in {kept / '1' / 'files'}" in said
    if erased:
        (tmp_path / "flash").write_bytes(b"\xff" * SIZE)
    code, out, err = invoke(capfd, *command)
    assert code == 0 and f"Put {len(FILES)} files back" in out, err
    assert files(capfd, url) == FILES
    assert not kept.exists()


def test_what_changed_since_the_cut_counts_and_without_the_option_the_folder_is_named(
    url: str, same: str, other: str, kept: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cut_off("flash", "--port", url, "--keep-files", other)
    assert invoke(capfd, "exec", "file.putcontents('init2.lua', 'print(2)')", "--port", url)[0] == 0
    code, _, err = invoke(capfd, "flash", "--port", url, "--no-wait", same)
    assert code == 0 and str(kept) in err and "with --keep-files" in err
    code, out, err = invoke(capfd, "flash", "--port", url, "--keep-files", other)
    assert code == 0 and f"Put {len(FILES)} files back" in out, err
    assert files(capfd, url) == {**FILES, "init2.lua": "print(2)"}


def test_a_blank_chip_has_nothing_to_keep(
    same: str, kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    blank = f"virtual:?baud_pacing=0&flash=0&cpu=0&blank=1&flash_size={SIZE}&flash_file={tmp_path / 'flash'}"
    for options in ([], ["--erase", "--no-wait"]):
        code, out, err = invoke(capfd, "flash", "--port", blank, "--keep-files", *options, same)
        assert code == 0 and "Wrote" in out, err
        (tmp_path / "flash").write_bytes(b"\xff" * SIZE)


def test_a_board_whose_program_is_in_the_way_is_not_emptied(
    url: str, same: str, other: str, kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    holds = "uart.on('data', 0, function() end, 0)"
    assert invoke(capfd, "exec", f'file.putcontents("init.lua", "{holds}")', "--port", url)[0] == 0
    before = (tmp_path / "flash").read_bytes()
    code, _, err = invoke(capfd, "flash", "--port", url, "--erase", "--keep-files", same)
    # Not --lose-files, which does not help beside --keep-files here.
    assert code == 1 and "cannot be saved" in err and "--backup" in err and "--lose-files" not in err
    code, _, err = invoke(capfd, "flash", "--port", url, "--keep-files", other)
    assert code == 2 and "would be lost" in err and "--lose-files" in err and "with --keep-files" not in err
    assert (tmp_path / "flash").read_bytes() == before and not kept.exists()
    # Where the files stay there is nothing to ask the board for.
    code, out, err = invoke(capfd, "flash", "--port", url, "--keep-files", "--no-wait", same)
    assert code == 0, err


def test_a_header_with_another_size_than_the_chip_is_no_dead_end(
    kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    flash, path = tmp_path / "flash", tmp_path / "firmware.bin"
    flash.write_bytes(image(size=1 << 20).ljust(4 << 20, b"\xff"))  # as `esptool -fs 1MB`
    path.write_bytes(image())
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&flash_file={flash}&mac={MAC}"
    assert invoke(capfd, "exec", "file.putcontents('kept', 'still here')", "--port", url)[0] == 0
    code, out, err = invoke(capfd, "flash", "--port", url, "--keep-files", str(path))
    assert code == 0 and "Put 1 files back" in out, err
    assert files(capfd, url) == {"kept": "still here"}


@pytest.mark.parametrize(
    "running", by_night([True, False], but=[True]), ids=["a running board", "a board that an earlier run left"]
)
def test_a_person_is_asked_for_the_loader_when_the_files_are_saved_and_once(
    running: bool, same: str, kept: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        options = VirtualOptions(baud_pacing=False, flash=0, cpu=0, mac=MAC, flash_size=SIZE)
        async with VirtualBoard(options) as board:
            server = await serve_rfc2217(board)
            if running:
                async with open_board(server.url) as opened:
                    await opened.file.putcontents("kept", b"still here")
            else:
                Kept(MAC).save({"kept": b"still here"}, None)
                board.flash.erase(0, board.flash.size)
                board.reset()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge.cli", "flash", "--port", server.url, "--profile", "esp-12e-bare",
                "--erase", "--keep-files", same, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            said = b""
            while b"GPIO0" not in said:
                more = await process.stderr.read(4096)
                assert more, said
                said += more
            assert (b"Saved 1 files" in said) == running
            await hold_flash_and_press_reset(board)
            out, err = await process.communicate()
            assert process.returncode == 0 and b"Put 1 files back" in out, (said + err).decode()
            assert (said + err).count(b"GPIO0") == 1
            async with open_board(server.url) as opened:
                assert await opened.file.getcontents("kept") == b"still here"
            await server.close()

    asyncio.run(scenario())


def test_a_board_without_files_has_none_to_lose(other: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&mac={MAC}&flash_size={SIZE}&flash_file={tmp_path / 'flash'}"
    assert invoke(capfd, "exec", "file.putcontents('x', 'y') file.remove('x')", "--port", url)[0] == 0
    code, out, err = invoke(capfd, "flash", "--port", url, "--keep-files", other)
    assert code == 0 and "Wrote" in out, err


def test_files_that_an_earlier_run_has_put_back_are_not_lost_by_the_next_one(
    url: str, same: str, other: str, kept: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = "uart.on('data', 0, function() end, 0)"
    assert invoke(capfd, "exec", f'file.putcontents("init.lua", "{program}")', "--port", url)[0] == 0
    saved = Kept(MAC)
    saved.save({"init.lua": program.encode(), "Data": b"not back yet"}, None)
    saved.back("init.lua")
    before = (tmp_path / "flash").read_bytes()
    for arguments in (["--erase", same], [other]):
        code, _, err = invoke(capfd, "flash", "--port", url, "--keep-files", *arguments)
        assert code != 0 and "cannot be saved" in err and str(saved.folder) in err
    assert (tmp_path / "flash").read_bytes() == before and saved.read() == {"Data": b"not back yet"}


def test_a_firmware_on_which_the_agent_cannot_run_is_replaced_where_the_files_stay(
    same: str, other: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"virtual:?baud_pacing=0&flash=0&cpu=0&mac={MAC}&flash_size={SIZE}&flash_file={tmp_path / 'flash'}"
    lacking = f"{url}&modules=file,net,node,uart"

    async def prepare() -> None:
        port = await open_port(lacking)
        await run_line(port, "file.putcontents('kept', 'still here')", 5.0)
        await port.close()

    asyncio.run(prepare())
    code, _, err = invoke(capfd, "flash", "--port", url, "--keep-files", other)
    assert code == 2 and "would be lost" in err and "the agent cannot run there" in err and "tmr" in err, err
    code, out, err = invoke(capfd, "flash", "--port", url, "--keep-files", same)
    assert code == 0 and "Wrote" in out, err
    assert files(capfd, url) == {"kept": "still here"}
