"""nodemcu-uploader on a board on which the agent cannot run; real programs, on the wall clock."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.errors import FileError, NoSuchFile, UsageError
from bridge.files.uploader import UploaderFiles, can_use
from tests.board_process import announced, board_process

EVERY_BYTE = bytes(range(256))


@pytest.fixture(scope="module")
def path() -> Iterator[str]:
    with board_process("--pty", "auto", "--modules", "file,net,node,uart,wifi", "--flash", "0") as process:
        yield announced(process)[1]


def test_files_come_and_go(path: str) -> None:
    files = UploaderFiles(path, 115_200)

    async def scenario() -> None:
        told: list[tuple[int, int]] = []
        assert await files.ls() == {}
        data = EVERY_BYTE + random.Random(1).randbytes(700)
        written = await files.put("a b-1.bin", data, told=lambda done, total: told.append((done, total)))
        assert (written.size, written.digest, told) == (len(data), "raw", [(len(data), len(data))])
        await files.put("-x", b"short")
        assert await files.ls() == {"-x": 5, "a b-1.bin": len(data)}
        assert await files.get("a b-1.bin") == data and await files.get("-x") == b"short"
        await files.put("a b-1.bin", b"new")
        assert await files.get("a b-1.bin") == b"new"
        with pytest.raises(NoSuchFile):
            await files.get("nosuch")
        with pytest.raises(NoSuchFile):
            await files.rm("-x", "nosuch")
        await files.rm("-x", "a b-1.bin")
        assert await files.ls() == {}
        await files.put("a", b"a")
        await files.format()
        assert await files.ls() == {} and files.finished == ()

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a:b", "ü", "a\nb"])
def test_names_that_it_cannot_type(name: str) -> None:
    files = UploaderFiles("nowhere", 115_200)
    for work in (files.put(name, b""), files.get(name), files.rm(name)):
        with pytest.raises(UsageError, match="cannot type the name"):
            asyncio.run(work)


def test_a_port_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(FileError, match="nodemcu-uploader failed: .*nowhere") as caught:
        asyncio.run(UploaderFiles("/dev/nowhere", 115_200).ls())
    assert "\n" not in str(caught.value)


def test_what_it_cites_is_said_without_keys() -> None:
    with pytest.raises(FileError) as caught:
        asyncio.run(UploaderFiles('/dev/pwd="hunter22"', 115_200).ls())
    assert 'pwd="********"' in caught.value.message and "hunter22" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "can"), [("/dev/ttyUSB0", True), ("COM5", True), ("rfc2217://h:1", False), ("virtual:?cpu=0", False)]
)
def test_what_it_can_open(url: str, can: bool) -> None:
    assert can_use(url) is can


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_lets_go_of_the_port_when_its_parent_is_ended(number: signal.Signals) -> None:
    """With a board at the other end that formats for ever; it sees when nobody has the port open any more."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    code = (
        "import sys\n"
        "from bridge.ending import run, signals_obeyed\n"
        "from bridge.files.uploader import UploaderFiles\n"
        "with signals_obeyed(): run(UploaderFiles(sys.argv[1], 115200).format())"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stderr=subprocess.DEVNULL) as parent:
        while b"file.format" not in (heard := os.read(master, 4096)):
            os.write(master, b"%sync%\r\n> " if b"%sync%" in heard else b"> ")
        os.close(slave)
        parent.send_signal(number)
        with suppress(OSError):  # reading fails when the other end is closed; the tool itself waits for minutes
            while select.select([master], [], [], 60)[0]:
                os.read(master, 4096)
            pytest.fail("nodemcu-uploader still has the port")
    os.close(master)


def test_modules_in_the_users_folder_are_not_run(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("serial", "nodemcu_uploader", "bridge"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(UploaderFiles(path, 115_200).ls()) == {}


def test_what_pythonpath_names_is_found(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert asyncio.run(UploaderFiles(path, 115_200).ls()) == {}
    assert (tmp_path / "seen").exists()
