from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.files import host
from tests.unprivileged import unprivileged


def test_a_file_is_replaced_whole_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "a"
    host.write_file(path, b"one")
    mask = os.umask(0)
    os.umask(mask)
    assert host.read_file(path) == b"one" and stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    path.chmod(0o600)
    host.write_file(path, b"two")
    assert host.read_file(path) == b"two" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_what_a_link_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    host.write_file(tmp_path / "link", b"one")
    assert (tmp_path / "a").read_bytes() == b"one" and (tmp_path / "link").is_symlink()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("nosuch", "No such file"), (".", "a folder"), ("pipe", "no plain file"), ("loop", "symbolic")):
        with pytest.raises(UsageError, match=why):
            host.read_file(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        host.read_file(tmp_path / "a\0b")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    with unprivileged(), pytest.raises(UsageError, match="Permission denied"):
        host.read_file(path)


def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        host.check_writable(pipe)
        host.write_file(pipe, b"one")
        assert os.read(reader, 9) == b"one" and stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_pipe_gets_what_is_delivered_when_it_has_a_reader_and_as_fast_as_that_takes_it(tmp_path: Path) -> None:
    """More than a pipe holds; all the time the loop goes on."""
    pipe, data = tmp_path / "pipe", bytes(300_000)
    os.mkfifo(pipe)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        delivering = loop.create_task(host.deliver(pipe, data))
        await asyncio.sleep(0)
        with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            reader = asyncio.StreamReader()
            transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
            assert await reader.readexactly(len(data)) == data
            await delivering
            delivering = loop.create_task(host.deliver(pipe, data))
            await reader.read(1)
            transport.close()
            await asyncio.sleep(0)
        with pytest.raises(UsageError, match="cannot be written .Broken pipe"):
            await delivering
        await host.deliver(tmp_path / "file", data)

    asyncio.run(main())
    assert (tmp_path / "file").read_bytes() == data and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_socket_takes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for work in (host.check_writable, lambda path: host.write_file(path, b"x")):
            with pytest.raises(UsageError, match="socket is no plain file"):
                work(Path("socket"))
    assert stat.S_ISSOCK(os.stat("socket").st_mode)


def test_a_slash_at_the_end_asks_for_a_folder(tmp_path: Path) -> None:
    for end in ("/", "/."):
        with pytest.raises(UsageError, match="There is no folder .*logs"):
            host.check_writable(f"{tmp_path}/logs{end}")
    assert not host.asks_for_folder(Path("logs/")) and not host.asks_for_folder("logs")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for name, why in (("folder", "is a folder"), ("nosuch/a", "cannot be written"), ("a\0", "cannot be written"),
                      ("x" * 300, "cannot be written"), ("loop/a", "cannot be written")):  # fmt: skip
        with pytest.raises(UsageError, match=why):
            host.write_file(tmp_path / name, b"x")
    for name, why in (("folder", "is a folder"), ("nosuch/a", "no folder"), ("x" * 300, "cannot be written"),
                      ("x" * 300 + "/a", "cannot be written"), ("loop/a", "cannot be written")):  # fmt: skip
        with pytest.raises(UsageError, match=why):
            host.check_writable(tmp_path / name)
    host.check_writable(tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == ["folder", "loop"]


def test_a_folder_that_may_not_be_looked_into(tmp_path: Path) -> None:
    (tmp_path / "closed" / "in").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    with unprivileged(), pytest.raises(UsageError, match="cannot be written .Permission denied"):
        host.check_writable(tmp_path / "closed" / "in" / "a")
    (tmp_path / "closed").chmod(0o700)
