"""bridge/rack/lease_port.py: a port as any other, until its lease is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.errors import LeaseLost, PortError, PortLost
from bridge.ports.base import Receiver, is_port
from bridge.rack import Rack
from bridge.rack.holder import of_this_process
from bridge.rack.lease_port import LeasePort
from tests.board_process import announced, board_process
from tests.rack.witness import witness


def test_it_is_a_port_named_after_the_place_with_speed_and_lines(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        async with await Rack.of_ports([url], folder=tmp_path).claim() as lease:
            port = await lease.open_port(baud=115200)
            assert is_port(port)
            assert (port.url, port.baud) == (url, 115200)
            heard, answered = bytearray(), asyncio.Event()

            def receive(data: bytes) -> None:
                heard.extend(data)
                if b"\r\n42\r\n" in heard:
                    answered.set()

            port.set_receiver(receive)
            assert isinstance(port, LeasePort)
            port.write(b"=6*7\n")
            await port.drain()
            async with asyncio.timeout(10):
                await answered.wait()
            assert port.last_words().endswith("42\n> ") and port.last_words() == ""
            await port.set_baud(9600)
            assert port.baud == 9600
            await port.set_lines(dtr=False, rts=False)
            await port.close()
            with pytest.raises(PortLost, match="has been closed"):
                port.write(b"x")

    with board_process("--rfc2217", "127.0.0.1:0") as process:
        asyncio.run(scenario(announced(process)[1]))


class Silent:
    """A port of which nothing is asked but what comes."""

    receiver: Receiver

    def set_receiver(self, receiver: Receiver, lost: object) -> None:
        self.receiver = receiver


def test_a_line_whose_beginning_is_gone_is_not_among_the_last_words() -> None:
    """Where a name such as `pwd` stood before a key, nobody could tell that it is one."""
    silent = Silent()
    port = LeasePort(silent, lambda: None, lambda: None)  # type: ignore[arg-type]
    port.set_receiver(lambda data: None)
    for data in (b'pwd="', b"hunter22 " * 8000, b'"\r\n', b"the rest\r\n"):
        silent.receiver(data)
    assert port.last_words() == "the rest\n"


def test_what_is_printed_behind_a_frame_begins_a_line() -> None:
    """Else the name of the chunk that erred would begin with what is left of the frame."""
    silent = Silent()
    port = LeasePort(silent, lambda: None, lambda: None)  # type: ignore[arg-type]
    port.set_receiver(lambda data: None)
    silent.receiver(b"\0\x8102tt0lnilQ\xfe\0t1:4: last\r\nstack traceback:\r\n" + bytes(9))
    assert port.last_words() == "\n02tt0lnilQ\nt1:4: last\nstack traceback:\n\n"


def test_every_call_after_the_loss_says_so_and_so_does_the_handler(tmp_path: Path) -> None:
    async def scenario(url: str) -> None:
        lease = await Rack.of_ports([url], folder=tmp_path).claim()
        port = await lease.open_port()
        lost: asyncio.Future[PortError] = asyncio.get_running_loop().create_future()
        port.set_receiver(None, lost.set_result)
        of_this_process()._process.kill()
        assert isinstance(await lost, LeaseLost)
        with pytest.raises(LeaseLost, match="its keeper, the process that had the port, has ended"):
            port.write(b"x")
        for call in (port.drain(), port.set_baud(9600), port.set_lines(dtr=True)):
            with pytest.raises(LeaseLost):
                await call
        with pytest.raises(LeaseLost):
            await lease.open_port()
        await port.close()
        await lease.release()

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))
