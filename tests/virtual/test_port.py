"""The port of a virtual board."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.errors import PortError, PortLost, UsageError
from bridge.ports.base import Port
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort, open_virtual
from tests.contracts import Rig, check_port


class Ear:
    """In the chip's place on a board's line: a peer of the port's contract."""

    takes_lines = False

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        self.got = bytearray()
        self.news = asyncio.Event()
        board.line.attach(self)

    @property
    def baud(self) -> int:
        return self.board.host_baud

    def room(self) -> int:
        return 256

    def receive(self, data: bytes, baud: int) -> None:
        self.got += data
        self.news.set()

    async def say(self, data: bytes) -> None:
        self.board.line.transmit(data, asyncio.get_running_loop().time(), self.baud)

    async def hear(self, count: int) -> bytes:
        while len(self.got) < count:
            self.news.clear()
            await self.news.wait()
        heard = bytes(self.got[:count])
        del self.got[:count]
        return heard

    async def leave(self) -> None:
        self.board.unplug()


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    async with VirtualBoard(VirtualOptions(blank=True)) as board:
        await board.answered()
        yield Rig(VirtualPort(board), Ear(board))


def test_it_keeps_the_contract_of_a_port() -> None:
    clock.run(check_port(rig))


class Reader:
    """A receiver that can be waited for."""

    def __init__(self) -> None:
        self.seen = b""
        self.lost: list[PortError] = []
        self.news = asyncio.Event()

    def arrived(self, data: bytes) -> None:
        assert data
        self.seen += data
        self.news.set()

    def gone(self, error: PortError) -> None:
        self.lost.append(error)
        self.news.set()

    async def until(self, text: bytes) -> None:
        async with asyncio.timeout(10):
            while text not in self.seen:
                self.news.clear()
                await self.news.wait()


def test_opening_gives_a_booted_board_whose_boot_is_over() -> None:
    async def main() -> None:
        port: Port = await open_virtual("virtual:?seed=3")
        reader = Reader()
        port.set_receiver(reader.arrived)
        await asyncio.sleep(1)
        assert reader.seen == b""
        assert port.url == "virtual:?seed=3" and port.baud == 115200
        port.write(b"=6*7\n")
        await port.drain()
        await reader.until(b"42\r\n> ")
        await port.close()
        await port.close()

    clock.run(main())


def test_each_url_makes_a_fresh_board() -> None:
    async def main() -> None:
        one, two = await open_virtual("virtual:"), await open_virtual("virtual:")
        assert one.board is not two.board
        one.write(b'file.putcontents("x","1")\n')
        reader = Reader()
        two.set_receiver(reader.arrived)
        two.write(b'=file.exists("x")\n')
        await reader.until(b"false")
        await one.close()
        await two.close()

    clock.run(main())


def test_bytes_wait_for_a_receiver_and_arrive_once_and_in_order() -> None:
    async def main() -> None:
        port = await open_virtual("virtual:")
        port.write(b"=11\n")
        await asyncio.sleep(1)
        first, second = Reader(), Reader()
        port.set_receiver(first.arrived)
        assert first.seen == b"", "never from inside set_receiver"
        await first.until(b"11\r\n> ")
        port.set_receiver(None)
        port.write(b"=22\n")
        await asyncio.sleep(1)
        port.set_receiver(second.arrived)
        await second.until(b"22\r\n> ")
        assert b"22" not in first.seen
        await port.close()

    clock.run(main())


def test_an_unplugged_board_loses_its_port_once_and_another_can_be_opened_on_it() -> None:
    async def main() -> None:
        async with VirtualBoard() as board:
            await board.answered()
            port, reader = VirtualPort(board), Reader()
            port.set_receiver(reader.arrived, reader.gone)
            port.write(b"x" * 5000)
            waiting = asyncio.ensure_future(port.drain())
            await asyncio.sleep(0)
            board.unplug()
            with pytest.raises(PortLost, match="unplugged"):
                await waiting
            assert len(reader.lost) == 1 and isinstance(reader.lost[0], PortLost)
            for attempt in (lambda: port.write(b"x"),):
                with pytest.raises(PortLost):
                    attempt()
            board.plug()
            again, reader = VirtualPort(board, url="virtual:2"), Reader()
            again.set_receiver(reader.arrived, reader.gone)
            await reader.until(b"\n> ")
            again.write(b"=1+1\n")
            await reader.until(b"2\r\n> ")
            await port.close()
            assert not reader.lost
            await again.close()

    clock.run(main())


def test_a_loss_before_there_is_a_receiver_is_told_to_the_first() -> None:
    async def main() -> None:
        async with VirtualBoard() as board:
            port, reader = VirtualPort(board), Reader()
            await board.answered()
            board.unplug()
            port.set_receiver(reader.arrived, reader.gone)
            assert not reader.lost
            await asyncio.sleep(0)
            assert b"NodeMCU" in reader.seen and len(reader.lost) == 1

    clock.run(main())


def test_lines_reset_the_board_and_a_speed_no_uart_has_is_refused() -> None:
    async def main() -> None:
        port = await open_virtual("virtual:")
        reader = Reader()
        port.set_receiver(reader.arrived)
        await port.set_lines(dtr=False, rts=True)
        await asyncio.sleep(0.1)
        await port.set_lines(rts=False)
        await reader.until(b"NodeMCU")
        with pytest.raises(PortError, match="speed of 3 baud"):
            await port.set_baud(3)
        await port.set_baud(921600)
        assert port.baud == 921600
        await port.close()
        with pytest.raises(PortLost, match="closed"):
            port.write(b"x")

    clock.run(main())


def test_the_virtual_clock_must_be_that_of_the_program() -> None:
    with pytest.raises(UsageError, match="virtual clock"):
        asyncio.run(open_virtual("virtual:?clock=virtual"))

    async def main() -> None:
        await (await open_virtual("virtual:?clock=virtual&baud_pacing=0")).close()

    clock.run(main())


def test_a_wrong_option_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="lua=9"):
        asyncio.run(open_virtual("virtual:?lua=9"))
