from __future__ import annotations

import asyncio
import errno
import os
import pty
import sys
import termios
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.errors import PortBusy, PortError, PortNotFound
from bridge.ports.open import open_port
from bridge.ports.serial import open_error
from tests.contracts import Rig, check_port


class Master:
    """The master side of a pseudo-terminal."""

    def __init__(self) -> None:
        self.fd, slave = pty.openpty()
        tty.setraw(self.fd)
        self.path = os.ttyname(slave)
        # Kept open, so that what the port wrote last is still there after it closed.
        self._slave = slave
        os.set_blocking(self.fd, False)

    async def _ready(self, add: str, remove: str) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        getattr(loop, add)(self.fd, ready.set)
        try:
            await ready.wait()
        finally:
            getattr(loop, remove)(self.fd)

    async def say(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:
                await self._ready("add_writer", "remove_writer")

    async def hear(self, count: int) -> bytes:
        heard = b""
        while len(heard) < count:
            try:
                heard += os.read(self.fd, count - len(heard))
            except BlockingIOError:
                await self._ready("add_reader", "remove_reader")
        return heard

    async def leave(self) -> None:
        self.close()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self._slave)
            os.close(self.fd)
            self.fd = -1


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    master = Master()
    port = await open_port(master.path)
    try:
        yield Rig(port, master)
    finally:
        await port.close()
        master.close()


def test_contract_on_a_pseudo_terminal() -> None:
    asyncio.run(check_port(rig))


def test_settings_are_put_back() -> None:
    async def scenario() -> None:
        master = Master()
        before = termios.tcgetattr(master._slave)
        before[3] |= termios.ECHO | termios.ICANON
        before[4] = before[5] = termios.B9600
        termios.tcsetattr(master._slave, termios.TCSANOW, before)
        found = termios.tcgetattr(master._slave)
        port = await open_port(master.path, baud=115200)
        inside = termios.tcgetattr(master._slave)
        assert inside[5] == termios.B115200 and not inside[3] & termios.ECHO
        await port.close()
        assert termios.tcgetattr(master._slave) == found
        master.close()

    asyncio.run(scenario())


def test_closing_does_not_wait_for_a_far_end_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.ports.serial.CLOSE_TIMEOUT", 0.05)

    async def scenario() -> None:
        master = Master()
        port = await open_port(master.path)
        port.write(b"x" * 1_000_000)
        async with asyncio.timeout(10):
            await port.close()
        master.close()

    asyncio.run(scenario())


def test_unplugged_with_bytes_still_queued(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        master = Master()
        port = await open_port(master.path)
        losses: list[PortError] = []
        gone = asyncio.Event()

        def lost(error: PortError) -> None:
            losses.append(error)
            gone.set()

        port.set_receiver(lambda data: None, lost)
        port.write(b"x" * 1_000_000)
        await asyncio.sleep(0)
        master.close()
        async with asyncio.timeout(10):
            await gone.wait()
            await port.close()
        assert len(losses) == 1

    asyncio.run(scenario())
    assert not caplog.records


def test_a_pseudo_terminal_has_no_lines() -> None:
    async def scenario() -> None:
        async with rig() as made:
            for lines in ({"dtr": True}, {"rts": False}, {"dtr": False, "rts": True}):
                with pytest.raises(PortError, match="no DTR and RTS") as caught:
                    await made.port.set_lines(**lines)
                assert made.port.url in str(caught.value)
            made.port.write(b"alive")
            assert await made.peer.hear(5) == b"alive"

    asyncio.run(scenario())


@pytest.mark.parametrize("baud", [0, -1, 1 << 40])
def test_a_speed_that_cannot_be(baud: int) -> None:
    async def scenario() -> None:
        async with rig() as made:
            with pytest.raises(PortError, match="refuses"):
                await made.port.set_baud(baud)
            assert made.port.baud == 115200

    asyncio.run(scenario())


def test_there_is_no_such_port() -> None:
    with pytest.raises(PortNotFound, match="There is no port /dev/nosuchport") as caught:
        asyncio.run(open_port("/dev/nosuchport"))
    assert "nodemcu-bridge boards" in str(caught.value)


def test_a_busy_port() -> None:
    async def scenario() -> None:
        async with rig() as made:
            with pytest.raises(PortBusy, match="Another program"):
                await open_port(made.port.url)

    asyncio.run(scenario())


def test_a_file_is_not_a_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(PortError, match="is not a serial port"):
            asyncio.run(open_port(str(path)))


@pytest.mark.skipif(sys.platform == "win32", reason="groups are a POSIX matter")
def test_permission_denied_names_the_group(tmp_path: Path) -> None:
    # Root may open everything, so the system's own answer cannot be had in every place tests run.
    import grp

    path = tmp_path / "port"
    path.write_bytes(b"")
    group = grp.getgrgid(path.stat().st_gid).gr_name
    error = open_error(str(path), PermissionError(errno.EACCES, "Permission denied"))
    assert f"({group})" in str(error) and "usermod" in str(error) and error.exit_code == 1
