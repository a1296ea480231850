"""At a raised speed of the line, what a board says as it restarts is noise: no program is told of it."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import BoardReset, BridgeError
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from tests.variants import by_night

SPEEDS = (230_400, 460_800, 921_600)


def console_of(source: str, baud: int, **options: object) -> tuple[bytes, list[str]]:
    """What the console shows of a chunk, until 20 s later, and the names of what happened."""

    async def main() -> tuple[bytes, list[str]]:
        shown, happened = bytearray(), []
        async with VirtualBoard(VirtualOptions(clock="virtual", **options)) as virtual:  # type: ignore[arg-type]
            await virtual.answered()
            port = VirtualPort(virtual)
            async with open_board(port, speeds=(baud,)) as board:
                assert port.baud == baud
                board.on("console", shown.extend)
                board.on("reset", lambda error: happened.append("reset"))
                try:
                    await board.exec(source, timeout=30)
                except BridgeError as error:
                    assert isinstance(error, BoardReset)
                await asyncio.sleep(20)
                assert await board.eval("1") == 1
            await port.close()
        return bytes(shown), happened

    return clock.run(main())


@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.1"]))
@pytest.mark.parametrize("baud", by_night(SPEEDS, but=[230_400, 921_600]))
@pytest.mark.parametrize("end", ["node.restart()", "while true do end", "tmr.delay(300000) node.restart()"])
def test_a_restart_shows_what_was_printed_before_it_alone(lua: str, baud: int, end: str) -> None:
    shown, happened = console_of(f"print('the last words') {end}", baud, lua=lua)
    assert (shown, happened) == (b"the last words\r\n", ["reset"])


@pytest.mark.parametrize("fault", ["reset_after_s", "watchdog_after_s", "brown_out_after_s"])
def test_a_fault_shows_nothing(fault: str) -> None:
    shown, happened = console_of("return 1", 921_600, **{fault: 10.0})
    assert (shown, happened) == (b"", ["reset"])


@pytest.mark.parametrize("baud", by_night(SPEEDS, but=[460_800]))
@pytest.mark.parametrize(
    "printed", [b"\x80" * 40, b"\x80", b"\x1c\xe0\xfc" * 100, b"f" * 30 + b"\n", b"\x80\nwords\x80"]
)
def test_what_a_program_prints_is_shown_though_it_looks_like_noise(baud: int, printed: bytes) -> None:
    text = "".join(f"\\{byte:03}" for byte in printed)
    shown, happened = console_of(f'uart.write(0, "{text}")', baud)
    assert (shown, happened) == (printed, [])
