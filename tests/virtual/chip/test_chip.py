from __future__ import annotations

import asyncio
import functools

import pytest

from bridge.virtual.chip.chip import HARDWARE_WATCHDOG_S, Mode
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.loader import Op
from bridge.virtual.chip.make_image import Recipe, make
from bridge.virtual.chip.provision import provision
from bridge.virtual.sdk.kernel import BootReason
from tests.virtual.chip.bench import MB, Bench, run
from tests.virtual.chip.host import SYNC_DATA, request, words


@functools.cache
def built(size: int = MB, fresh: bool = False) -> bytes:
    return make(Recipe(("net", "node"), flash_size=size, fresh=fresh))


def factory() -> FlashMemory:
    flash = FlashMemory(MB)
    provision(flash, built())
    return flash


def flashed(data: bytes, at: int = 0) -> FlashMemory:
    flash = FlashMemory(MB)
    flash.program(at, data)
    return flash


async def boot(bench: Bench) -> None:
    bench.chip.power_on()
    await bench.until(Mode.APPLICATION)


def test_power_on_boots_the_application() -> None:
    bench = run(factory(), boot)
    assert bench.modes == [Mode.HELD, Mode.ROM, Mode.APPLICATION, Mode.OFF]
    assert bench.text.startswith(
        "\n ets Jan  8 2013,rst cause:1, boot mode:(3,6)\n\nload 0x40100000, len 27444, room 16 \n"
    )
    assert bench.text.endswith("rf[114] : 01\n")
    (application,) = bench.applications
    assert application.services["boot"] == BootReason(1, 0)
    assert application.services["image"].modules == ("net", "node")
    data, at, baud = bench.runs[-1]
    assert data == b"hello net,node" and baud == 115_200
    # The application speaks only after the boot text has left the UART.
    text, began, _ = bench.runs[0]
    assert at > began + len(text) * 10 / 74_880


def test_application_gets_bytes_only_while_it_runs() -> None:
    async def play(bench: Bench) -> None:
        bench.chip.power_on()
        bench.chip.receive(b"too early", 115_200)
        assert bench.chip.baud == 74_880 and bench.chip.room() > 1000
        await bench.until(Mode.APPLICATION)
        assert bench.chip.baud == 115_200 and bench.chip.room() == 42
        assert bench.chip.image is not None
        bench.chip.receive(b"line\n", 115_200)
        bench.chip.power_off()
        bench.chip.receive(b"too late", 115_200)
        assert bench.chip.image is None

    bench = run(factory(), play)
    (application,) = bench.applications
    assert application.received == b"line\n" and application.stopped


def test_first_boot_of_a_fresh_build_is_two() -> None:
    bench = run(flashed(built(fresh=True)), boot)
    assert bench.text.count("rst cause:1, boot mode:(3,6)") == 2
    assert len(bench.applications) == 1


FAILURES = {
    "erased": (FlashMemory(MB), "ets_main.c", "the flash is erased"),
    "flipped": (flashed(bytes([*built()[:5000], built()[5000] ^ 4, *built()[5001:]])), "csum err", "is damaged"),
    "offset": (flashed(built(), 0x1000), "ets_main.c", "one begins at 0x01000"),
    "nibble": (flashed(built(MB // 2)), "Flash size (524288) too small to support NodeMCU", "size nibble 0"),
    "code": (flashed(built()[:0x30000]), "irom checksum error at 0x00030000", "differs in the 4 KiB from 0x30000"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_does_not_boot_says_why(name: str) -> None:
    flash, text, why = FAILURES[name]

    async def play(bench: Bench) -> None:
        bench.chip.power_on()
        await bench.until(Mode.STUCK)
        assert why in bench.chip.why
        await asyncio.sleep(100)
        assert bench.chip.mode is Mode.STUCK

    bench = run(flash, play)
    assert bench.applications == []
    assert text in bench.text
    last = bench.text.splitlines()[-1]
    assert last.startswith("[virtual board] ") and why in last
    assert {baud for _, _, baud in bench.runs} == {74_880}


def test_firmware_that_hangs_is_reset_by_the_watchdog() -> None:
    async def play(bench: Bench) -> None:
        bench.chip.power_on()
        await bench.until(Mode.STUCK)
        await asyncio.sleep(HARDWARE_WATCHDOG_S + 1)

    bench = run(flashed(built(4 * MB)), play)
    assert bench.text.count("Invalid system partition table") == 2
    assert "rst cause:4, boot mode:(3,6)\n\nwdt reset\nload" in bench.text


@pytest.mark.parametrize(
    "fault,reason",
    [("reset", BootReason(2, 6)), ("brown_out", BootReason(1, 0)), ("starve_watchdog", BootReason(4, 1))],
)
def test_resets_and_their_reasons(fault: str, reason: BootReason) -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        getattr(bench.chip, fault)()
        assert bench.applications[0].stopped
        await bench.until(Mode.APPLICATION)

    bench = run(factory(), play)
    assert [application.services["boot"] for application in bench.applications] == [BootReason(1, 0), reason]
    assert f"rst cause:{reason.raw}, " in bench.text.split("ets Jan")[2]


def test_firmware_resets_the_chip_at_its_time() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        loop = asyncio.get_running_loop()
        began = loop.time()
        bench.applications[0].services["reset"](BootReason(2, 4), began + 2.0)
        await asyncio.sleep(1.9)
        assert not bench.applications[0].stopped
        await asyncio.sleep(0.2)
        assert bench.applications[0].stopped
        await bench.until(Mode.APPLICATION)

    bench = run(factory(), play)
    assert bench.applications[1].services["boot"] == BootReason(2, 4)
    assert bench.cuts == [pytest.approx(bench.cuts[0])], "only the power switch at the end cuts"


def test_reset_cuts_what_is_being_sent() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        now = asyncio.get_running_loop().time()
        bench.chip.reset()
        assert bench.cuts == [now]

    run(factory(), play)


async def classic_reset(bench: Bench, edge: float = 0.0005) -> None:
    """esp_pylib's classic sequence on a local port: edges half a millisecond apart."""
    chip = bench.chip
    chip.set_lines(False, False)
    chip.set_lines(False, True)
    await asyncio.sleep(0.1)
    chip.set_lines(True, True)
    await asyncio.sleep(edge)
    chip.set_lines(True, False)
    await asyncio.sleep(0.05)
    chip.set_lines(False, False)


def test_classic_sequence_leads_to_download_mode() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        await classic_reset(bench)
        assert bench.chip.mode is Mode.DOWNLOAD
        assert bench.chip.baud is None
        await asyncio.sleep(30)
        assert bench.chip.mode is Mode.DOWNLOAD

    bench = run(factory(), play)
    assert bench.text.endswith("\n ets Jan  8 2013,rst cause:2, boot mode:(1,6)\n\n")


def test_edges_far_apart_only_reset() -> None:
    # Measured: over a transparent RFC 2217 server with edges 50 ms apart esptool cannot enter the loader.
    async def play(bench: Bench) -> None:
        await boot(bench)
        await classic_reset(bench, edge=0.05)
        await bench.until(Mode.APPLICATION)

    assert len(run(factory(), play).applications) == 2


def test_unix_tight_sequence_leads_to_download_mode() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        for dtr, rts, wait in [
            (False, False, 0.0),
            (True, True, 0.0),
            (False, True, 0.1),
            (True, False, 0.05),
            (False, False, 0.0),
        ]:
            bench.chip.set_lines(dtr, rts)
            await asyncio.sleep(wait)
        assert bench.chip.mode is Mode.DOWNLOAD

    run(factory(), play)


def test_hard_reset_boots_the_application() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        bench.chip.set_lines(False, True)
        await asyncio.sleep(0.1)
        assert bench.chip.mode is Mode.HELD
        bench.chip.set_lines(False, False)
        await bench.until(Mode.APPLICATION)

    assert run(factory(), play).applications[1].services["boot"] == BootReason(2, 6)


def test_opening_a_port_does_not_reset() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        bench.chip.set_lines(True, False)
        await asyncio.sleep(0.05)
        bench.chip.set_lines(True, True)
        await asyncio.sleep(1)

    assert len(run(factory(), play).applications) == 1


def test_a_glitch_on_en_does_not_reset() -> None:
    async def play(bench: Bench) -> None:
        await boot(bench)
        bench.chip.set_lines(False, True)
        await asyncio.sleep(20e-6)
        bench.chip.set_lines(True, True)
        await asyncio.sleep(1)

    assert len(run(factory(), play).applications) == 1


def test_power_on_while_held_in_reset_waits() -> None:
    async def play(bench: Bench) -> None:
        bench.chip.set_lines(False, True)
        bench.chip.power_on()
        await asyncio.sleep(5)
        assert bench.chip.mode is Mode.HELD
        bench.chip.set_lines(False, False)
        await bench.until(Mode.APPLICATION)

    assert run(factory(), play).text.startswith("\n ets Jan  8 2013,rst cause:1")


def test_download_mode_speaks_at_the_host_s_baud_and_can_run_user_code() -> None:
    async def play(bench: Bench) -> None:
        bench.chip.set_lines(True, False)
        bench.chip.power_on()
        await bench.until(Mode.DOWNLOAD)
        bench.runs.clear()
        bench.chip.receive(request(Op.SYNC, SYNC_DATA), 230_400)
        assert len(bench.runs) == 8 and {baud for _, _, baud in bench.runs} == {230_400}
        assert bench.chip.baud == 230_400
        bench.chip.receive(request(Op.FLASH_BEGIN, words(0, 0, 0x400, 0)), 230_400)
        await asyncio.sleep(0.1)
        bench.chip.receive(request(Op.FLASH_END, words(1)), 230_400)
        await bench.until(Mode.APPLICATION)

    run(factory(), play)


def test_unknown_code_in_ram_ends_with_the_watchdog() -> None:
    async def play(bench: Bench) -> None:
        bench.chip.set_lines(True, False)
        bench.chip.power_on()
        await bench.until(Mode.DOWNLOAD)
        bench.chip.set_lines(False, False)
        bench.chip.receive(request(Op.SYNC, SYNC_DATA) + request(Op.MEM_END, words(0, 0x40100000)), 115_200)
        await bench.until(Mode.STUCK)
        await bench.until(Mode.APPLICATION)

    assert run(factory(), play).applications[0].services["boot"] == BootReason(4, 1)


def test_nothing_is_left_on_the_loop_after_power_off() -> None:
    async def main(bench: Bench) -> None:
        for _ in range(2):
            bench.chip.power_on()
            await asyncio.sleep(0.01)
            bench.chip.power_off()
            bench.chip.power_off()
        runs = len(bench.runs)
        await asyncio.sleep(10)
        assert len(bench.runs) == runs and bench.chip.mode is Mode.OFF

    run(factory(), main)
