from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bridge.errors import BridgeError, FlashError, ImageError, PortBusy, PortLost, PortNotFound, UsageError
from bridge.flash import FlashProgress, _place, explain, flash_image, reachable, run_esptool
from bridge.ports.open import open_port
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image, parts
from tests.ports.test_serial import Master


def test_an_image_with_the_wrong_size_is_written_verified_and_put_right(tmp_path: Path) -> None:
    wanted = bytearray(image("net,node,tmr,uart"))
    wrong = bytes(wanted[:3]) + bytes([wanted[3] & 15]) + bytes(wanted[4:])
    steps: list[FlashProgress] = []
    log = tmp_path / "esptool.log"

    async def scenario() -> None:
        async with VirtualBoard(VirtualOptions(baud_pacing=False, blank=True)) as board:
            server = await serve_rfc2217(board)
            report = await flash_image(server.url, parts(wrong), progress=steps.append, log=log)
            await server.close()
            # Between the two, the firmware keeps calibration data that its first boot writes.
            for start, end in ((0, 0xB000), (0x11000, len(wanted))):
                assert board.flash.read(start, end - start) == bytes(wanted[start:end])
            assert (report.chip, report.size) == ("ESP8266EX", len(wanted))
            assert report.facts.modules == ("net", "node", "tmr", "uart")
            assert len(report.mac) == 17

    asyncio.run(scenario())
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages[0] == "connecting to the ROM loader" and stages[-1] == "resetting"
    assert "verifying" in stages
    written = [step.fraction for step in steps if step.fraction is not None]
    assert written == sorted(written) and written[-1] == 1.0
    assert "Hash of data verified" in log.read_text()


def test_the_image_is_looked_at_before_the_port() -> None:
    with pytest.raises(ImageError, match="lacks the module net"):
        asyncio.run(flash_image("/dev/nosuchport", parts(image("node,tmr,uart"))))


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(PortNotFound, match="There is no port /dev/nosuchport"):
        asyncio.run(flash_image("/dev/nosuchport", parts(image())))
    with pytest.raises(PortNotFound, match=r"rfc2217://127\.0\.0\.1:9"):
        asyncio.run(flash_image("rfc2217://127.0.0.1:9", parts(image())))
    with pytest.raises(UsageError, match="rfc2217"):
        asyncio.run(flash_image("socket://127.0.0.1:9", parts(image())))


def test_a_busy_port() -> None:
    async def scenario() -> None:
        master = Master()
        port = await open_port(master.path)
        try:
            with pytest.raises(PortBusy, match="Another program"):
                await flash_image(master.path, parts(image()))
        finally:
            await port.close()
            master.close()

    asyncio.run(scenario())


def test_silence_in_place_of_a_rom_loader() -> None:
    async def scenario() -> None:
        master = Master()
        try:
            with pytest.raises(FlashError, match="No ESP8266 answers.*hold FLASH"):
                await run_esptool(master.path, ["--connect-attempts", "1", "chip-id"])
        finally:
            master.close()

    asyncio.run(scenario())


def test_unplugged_while_writing(tmp_path: Path) -> None:
    (tmp_path / "firmware.bin").write_bytes(image())
    # One attempt to find the board again, in place of esptool's seven, which take ten seconds.
    arguments = ["--connect-attempts", "1", "write-flash", "0", str(tmp_path / "firmware.bin")]

    async def scenario() -> None:
        async with VirtualBoard(VirtualOptions(blank=True)) as board:
            server = await serve_rfc2217(board)

            def progress(step: FlashProgress) -> None:
                if step.fraction:
                    board.unplug()

            with pytest.raises(PortLost, match="went away while flashing"):
                await run_esptool(server.url, arguments, progress=progress)
            await server.close()

    asyncio.run(scenario())


def test_cancelling_ends_esptool(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def remember(*arguments: str, **options: object) -> asyncio.subprocess.Process:
        started.append(await create(*arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remember)

    async def scenario() -> None:
        async with VirtualBoard(VirtualOptions(blank=True)) as board:
            server = await serve_rfc2217(board)
            writing = asyncio.Event()
            task = asyncio.create_task(
                flash_image(server.url, parts(image()), progress=lambda step: step.fraction and writing.set())
            )
            await writing.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.close()

    asyncio.run(scenario())
    (process,) = started
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_virtual_boards_are_served_meanwhile() -> None:
    async def scenario() -> None:
        async with reachable("virtual:?baud_pacing=0") as url:
            output = await run_esptool(url, ["read-mac"], url="virtual:")
        assert "Chip type:" in output
        with pytest.raises(UsageError, match="virtual clock"):
            async with reachable("virtual:?clock=virtual"):
                pass

    asyncio.run(scenario())


def test_the_byte_that_esptool_takes_for_a_hash_mark(tmp_path: Path) -> None:
    data = bytearray(image())
    data[23] = 1
    data[3] &= 15
    arguments = _place(parts(bytes(data)), tmp_path)
    assert arguments[:2] == ["--flash-size", "keep"]
    written = Path(arguments[3]).read_bytes()
    assert written[3] >> 4 == 4 and written[4:] == bytes(data[4:])


@pytest.mark.parametrize(
    ("output", "kind", "words"),
    [
        ("A fatal error occurred: This chip is ESP32, not ESP8266. Wrong chip argument?", FlashError, "ESP32"),
        ("A fatal error occurred: Could not open COM5, the port is busy or doesn't exist.\n(Access is denied.)\n",
         PortBusy, "Another program"),
        ("A fatal error occurred: Could not open /dev/x, the port is busy or doesn't exist.\n([Errno 13] Permission "
         "denied)", BridgeError, "may not open"),
        ("A fatal error occurred: MD5 of file does not match data in flash!", FlashError, "MD5 of file"),
        ("Traceback (most recent call last):\n", FlashError, "esptool failed"),
        ("", FlashError, "said nothing"),
    ],
)  # fmt: skip
def test_esptools_last_words(output: str, kind: type[BridgeError], words: str) -> None:
    error = explain(output, "/dev/ttyUSB7")
    assert isinstance(error, kind) and words in str(error) and "/dev/ttyUSB7" in str(error)
    assert "\n" not in str(error)


def test_a_log_that_cannot_be_written_is_said_before_the_board_is_touched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="log cannot be written .No such file"):
        asyncio.run(run_esptool("/dev/none", ["chip-id"], log=tmp_path / "no" / "log"))
