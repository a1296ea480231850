from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import (
    FilesWouldBeLost,
    FlashError,
    ImageError,
    PortBusy,
    PortLost,
    PortNotFound,
    ReplError,
    UsageError,
)
from bridge.flash import FlashProgress, flash_image, ladder, reachable, restore_backup
from bridge.flashing.output import HALF_WRITTEN, NOTHING_WRITTEN
from bridge.image import ImagePart
from bridge.ports.open import open_port
from bridge.profile import load_profile
from bridge.repl import Repl
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.make_image import stock_image
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image, parts
from tests.ports.test_serial import Master

if sys.platform != "win32":
    import resource

#: A board that costs a test little.
QUICK = VirtualOptions(baud_pacing=False, flash=0, cpu=0)


async def runs(url: str) -> bool:
    """True if the board at a port is at its prompt, and not in a loader."""
    port = await open_port(url)
    repl = Repl(port)
    try:
        await repl.sync(12)
        return True
    except ReplError as error:
        print(f"{error}; heard: {repl.heard!r}")
        return False
    finally:
        repl.release()
        await port.close()


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
            assert (report.written, report.files_lost, report.flash_size) == (True, False, 4 << 20)
            assert len(report.mac) == 17

    asyncio.run(scenario())
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages[0] == "connecting to the ROM loader" and stages[-1] == "resetting"
    assert {"comparing", "writing", "verifying"} <= set(stages)
    written = [step.fraction for step in steps if step.fraction is not None]
    assert written == sorted(written) and written[-1] == 1.0
    assert "Hash of data verified" in log.read_text()


def test_the_image_is_looked_at_before_the_port() -> None:
    with pytest.raises(ImageError, match="lacks the module net"):
        asyncio.run(flash_image("/dev/nosuchport", parts(image("node,tmr,uart"))))
    small = load_profile("virtual")
    small = small.model_copy(update={"flash": small.flash.model_copy(update={"size": 256 << 10})})
    with pytest.raises(ImageError, match="needs 458752 bytes of flash, the profile virtual's has 262144"):
        asyncio.run(flash_image("/dev/nosuchport", parts(image()), profile=small))


def test_what_is_there_is_not_written_again_but_by_force() -> None:
    steps: list[str] = []

    async def flash(url: str, data: bytes, *, force: bool = False) -> bool:
        steps.clear()
        report = await flash_image(url, parts(data), force=force, progress=lambda step: steps.append(step.stage))
        return report.written

    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, modules="file,net,node,tmr,uart,tls", blank=True)) as board:
            server = await serve_rfc2217(board)
            mine = image("file,net,node,tls,tmr,uart")
            assert await flash(server.url, mine)
            await board.answered()  # the first boot has written its table, and the board its settings
            before = board.flash.read(0, board.flash.size)
            assert not await flash(server.url, mine)
            assert "writing" not in steps
            await board.answered()
            assert board.flash.read(0, board.flash.size) == before
            assert await flash(server.url, mine, force=True)
            # One byte of code that rotted, and then another build.
            board.flash.program(0x60000, b"\0\0\0\0")
            assert await flash(server.url, mine)
            assert await flash(server.url, image("net,node,tmr,uart"))
            await server.close()

    asyncio.run(scenario())


def test_an_interrupted_writing_of_another_build_is_not_taken_for_this_one() -> None:
    mine = image("file,net,node,tmr,uart")

    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, modules="file,net,node,tmr,uart")) as board:
            server = await serve_rfc2217(board)
            board.flash.erase(0x10000, 4096)  # the records are gone, all else is right
            report = await flash_image(server.url, parts(mine))
            assert report.written
            await server.close()

    asyncio.run(scenario())


def test_an_image_that_does_not_fit_the_chip_is_refused_before_writing() -> None:
    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, blank=True, flash_size=512 << 10)) as board:
            server = await serve_rfc2217(board)
            with pytest.raises(ImageError, match="needs 1 MB of flash; this board's has 512 KB"):
                await flash_image(server.url, parts(image()))
            assert not board.flash.read(0, board.flash.size).strip(b"\xff")
            await server.close()

    asyncio.run(scenario())


def test_files_are_not_lost_unasked() -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            # A build so large that its files begin elsewhere.
            large = image(",".join(sorted(MANY)))
            before = board.flash.read(0, board.flash.size)
            with pytest.raises(FilesWouldBeLost, match="--keep-files"):
                await flash_image(server.url, parts(large))
            assert board.flash.read(0, board.flash.size) == before
            report = await flash_image(server.url, parts(large), lose_files=True)
            assert report.written and report.files_lost
            await server.close()

    asyncio.run(scenario())


def test_the_whole_flash_is_saved_first_and_written_back(tmp_path: Path) -> None:
    file = tmp_path / "flash.bin"

    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, flash_size=1 << 20)) as board:
            server = await serve_rfc2217(board)
            before = board.flash.read(0, board.flash.size)
            with pytest.raises(ImageError, match="its partition table is for 4194304 bytes of flash, not for 1048576"):
                await flash_image(server.url, parts(image("net,node,tmr,uart")))
            other = await stock_image(replace(board.options, modules="net,node,tmr,uart"))
            await flash_image(server.url, parts(other), backup=file)
            assert file.read_bytes() == before and file.stat().st_mode & 0o777 == 0o600
            assert os.listdir(tmp_path) == ["flash.bin"]
            assert board.flash.read(0, board.flash.size) != before
            assert await restore_backup(server.url, file)
            assert board.flash.read(0, board.flash.size) == before
            assert not await restore_backup(server.url, file)
            await server.close()
        async with VirtualBoard(replace(QUICK, flash_size=2 << 20)) as board:
            server = await serve_rfc2217(board)
            with pytest.raises(ImageError, match="of a flash of 1048576 bytes, this board's has 2097152"):
                await restore_backup(server.url, file)
            await server.close()

    before = os.umask(0)
    try:
        asyncio.run(scenario())
    finally:
        os.umask(before)
    file.write_bytes(b"x")
    with pytest.raises(ImageError, match="no backup of a flash"):
        asyncio.run(restore_backup("/dev/none", file))
    with pytest.raises(ImageError, match="cannot be read"):
        asyncio.run(restore_backup("/dev/none", tmp_path / "none"))


class SlowAdapter(VirtualBoard):
    """A board behind an adapter that damages what it carries faster than 150 000 baud."""

    def host_write(self, data: bytes) -> None:
        if self.host_baud > 150_000 and len(data) > 64:
            data = data[:40] + bytes([data[40] ^ 1]) + data[41:]
        super().host_write(data)


def test_a_speed_that_fails_is_followed_by_a_lower_one() -> None:
    async def scenario() -> None:
        async with SlowAdapter(replace(QUICK, blank=True)) as board:
            server = await serve_rfc2217(board)
            steps: list[str] = []
            report = await flash_image(
                server.url, parts(image()), baud=230_400, progress=lambda step: steps.append(step.stage)
            )
            assert (report.written, report.baud) == (True, 115_200)
            assert "failed: starting over with a lower speed" in steps
            await server.close()

    asyncio.run(scenario())


class DeafAdapter(VirtualBoard):
    """A board behind an adapter that carries nothing faster than 150 000 baud."""

    def host_write(self, data: bytes) -> None:
        if self.host_baud < 150_000:
            super().host_write(data)


def test_a_speed_at_which_nothing_comes_through_is_followed_by_a_lower_one() -> None:
    async def scenario() -> None:
        async with DeafAdapter(replace(QUICK, blank=True)) as board:
            server = await serve_rfc2217(board)
            report = await flash_image(server.url, parts(image()), baud=460_800, profile=load_profile("nodemcu-v2"))
            assert (report.written, report.baud) == (True, 115_200)
            await server.close()

    asyncio.run(scenario())


def test_refused_after_a_look_at_the_board_leaves_it_running(tmp_path: Path) -> None:
    small = tmp_path / "small.bin"
    small.write_bytes(bytes(1 << 20))

    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            mine = parts(image())
            large = [ImagePart(0, image(), "large.bin"), ImagePart(4 << 20, b"behind the end", "0x400000.bin")]
            with pytest.raises(UsageError, match="02:00:00:00:00:00 is wanted"):
                await flash_image(server.url, mine, mac="02:00:00:00:00:00")
            assert await runs(server.url)
            with pytest.raises(FilesWouldBeLost):
                await flash_image(server.url, parts(image(",".join(sorted(MANY)))))
            assert await runs(server.url)
            with pytest.raises(ImageError, match="needs 4194318 bytes"):
                await flash_image(server.url, large)
            assert await runs(server.url)
            with pytest.raises(UsageError, match="is of a flash of 1048576 bytes, this board's has 4194304"):
                await flash_image(server.url, mine, backup=small)
            assert await runs(server.url)
            with pytest.raises(ImageError, match="of a flash of 1048576 bytes, this board's has 4194304"):
                await restore_backup(server.url, small)
            assert await runs(server.url)
            await server.close()

    asyncio.run(scenario())


async def interrupted(url: str, stage: str, backup: Path | None = None) -> str:
    """Cancel flashing in a stage; returns what is said last."""
    there = asyncio.Event()
    steps: list[str] = []

    def progress(step: FlashProgress) -> None:
        steps.append(step.stage)
        if step.stage == stage and (step.fraction or stage == "connecting to the ROM loader"):
            there.set()

    task = asyncio.create_task(flash_image(url, parts(image()), force=True, backup=backup, progress=progress))
    await there.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return steps[-1]


def test_interrupted_before_a_byte_was_written_leaves_the_board_running(tmp_path: Path) -> None:
    async def scenario() -> None:
        # At the line's own pace, so that there is a middle.
        async with VirtualBoard(VirtualOptions(flash=0, cpu=0)) as board:
            server = await serve_rfc2217(board)
            assert await interrupted(server.url, "reading", tmp_path / "backup.bin") == NOTHING_WRITTEN
            assert await runs(server.url)
            assert os.listdir(tmp_path) == []
            assert await interrupted(server.url, "connecting to the ROM loader") == NOTHING_WRITTEN
            assert await runs(server.url)
            assert await interrupted(server.url, "writing") == HALF_WRITTEN
            await server.close()

    asyncio.run(scenario())


def test_a_good_backup_outlives_an_interrupted_writing(tmp_path: Path) -> None:
    file = tmp_path / "good.bin"

    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, flash_size=1 << 20)) as board:
            server = await serve_rfc2217(board)
            before = board.flash.read(0, board.flash.size)
            other = parts(await stock_image(replace(board.options, modules="net,node,tmr,uart")))

            def unplug(step: FlashProgress) -> None:
                if step.stage == "writing" and step.fraction:
                    board.unplug()

            with pytest.raises((PortLost, FlashError)):
                await flash_image(server.url, other, backup=file, baud=115_200, progress=unplug)
            board.plug()
            board.flash.erase(0x20000, 4096)  # the two builds begin alike: so that it is half of something
            report = await flash_image(server.url, other, backup=file)
            assert report.written and report.backup_kept
            assert file.read_bytes() == before
            await server.close()

    asyncio.run(scenario())


def test_a_backup_that_is_the_image_is_refused_before_the_port(tmp_path: Path) -> None:
    file = tmp_path / "firmware.bin"
    file.write_bytes(image())
    with pytest.raises(UsageError, match="firmware.bin is there and is no backup"):
        asyncio.run(flash_image("/dev/nosuchport", parts(image()), backup=file))
    assert file.read_bytes() == image()


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Files of this process and its children end at so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_full_disk_is_no_unplugged_board(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, flash_size=1 << 20)) as board:
            server = await serve_rfc2217(board)
            other = parts(await stock_image(replace(board.options, modules="net,node,tmr,uart")))
            before = board.flash.read(0, board.flash.size)
            with full_disk(100_000):
                with pytest.raises(UsageError, match="backup.bin cannot be written .File too large"):
                    await flash_image(server.url, other, backup=tmp_path / "backup.bin")
                assert os.listdir(tmp_path) == []
                with pytest.raises(UsageError, match="temporary files .File too large.; nothing has been written"):
                    await flash_image(server.url, other)
            assert board.flash.read(0, board.flash.size) == before
            assert await runs(server.url)
            await server.close()

    asyncio.run(scenario())


def test_a_backup_is_written_back_from_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "backup.bin"
    file.write_bytes(b"\xff" * (1 << 20))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))  # no second copy of its secrets

    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, flash_size=1 << 20)) as board:
            server = await serve_rfc2217(board)
            assert await restore_backup(server.url, file)
            assert board.flash.read(0, board.flash.size) == file.read_bytes()
            await server.close()

    asyncio.run(scenario())


def test_wrong_names_and_speeds_are_told_before_esptool_is_started() -> None:
    for url, words in (
        ("foo://x", "not a kind of port"),
        ("rfc2217://x", "host and a TCP port"),
        ("", "no name of a port"),
    ):
        with pytest.raises(UsageError, match=words):
            asyncio.run(flash_image(url, parts(image())))
    for baud in (99_999_999_999, 1):
        with pytest.raises(UsageError, match=f"{baud} baud is no speed to flash at. Use 300 to 4608000 baud"):
            asyncio.run(flash_image("/dev/nosuchport", parts(image()), baud=baud))


def test_a_server_that_has_another_client() -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            port = await open_port(server.url)
            with pytest.raises(PortBusy, match="hangs up at once. Another client probably has the port"):
                await flash_image(server.url, parts(image()))
            await port.close()
            await server.close()

    asyncio.run(scenario())


def test_what_to_press_is_said_when_no_loader_answers(tmp_path: Path) -> None:
    file = tmp_path / "backup.bin"
    file.write_bytes(bytes(1 << 20))

    async def scenario() -> None:
        master = Master()
        try:
            with pytest.raises(FlashError, match="No ESP8266 answers.*Connect D3 to G, press and release RST"):
                await restore_backup(master.path, file, profile=load_profile("wemos-d1-mini"))
        finally:
            master.close()

    asyncio.run(scenario())


def test_the_ladder() -> None:
    assert ladder(921_600) == (921_600, 230_400, 115_200)
    assert ladder(115_200) == (115_200,)
    assert ladder(9600) == (9600,)
    assert ladder(460_800, load_profile("virtual")) == (460_800, 230_400, 115_200)


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


def test_unplugged_while_writing() -> None:
    async def scenario() -> None:
        async with VirtualBoard(VirtualOptions(blank=True, baud_pacing=False)) as board:
            server = await serve_rfc2217(board)

            def progress(step: FlashProgress) -> None:
                if step.fraction:
                    board.unplug()

            with pytest.raises((PortLost, FlashError), match="again"):
                await flash_image(server.url, parts(image()), baud=115_200, progress=progress)
            # The same command again makes it whole.
            board.plug()
            report = await flash_image(server.url, parts(image()))
            assert report.written
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
            assert url.startswith("rfc2217://127.0.0.1:")
            port = await open_port(url)
            await port.close()
        with pytest.raises(UsageError, match="virtual clock"):
            async with reachable("virtual:?clock=virtual"):
                pass

    asyncio.run(scenario())


MANY = (
    "adc,ads1115,adxl345,am2320,apa102,bit,bloom,bme280,bme680,bmp085,coap,color_utils,cron,crypto,dht,encoder,file,"
    "gpio,gpio_pulse,hdc1080,hmc5883l,http,hx711,i2c,l3g4200d,mcp4725,mdns,mqtt,net,node,ow,pcm,perf,pipe,pwm,pwm2,"
    "rfswitch,rotary,rtcfifo,rtcmem,rtctime,si7021,sigma_delta,sjson,sntp,softuart,somfy,spi,struct,tls,tmr,uart,wifi"
).split(",")
