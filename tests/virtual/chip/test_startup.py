from __future__ import annotations

import functools
import struct

import pytest

from bridge.virtual.chip import rcr
from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.chip.image import Image, checksum, parse
from bridge.virtual.chip.layout import PartitionType, find
from bridge.virtual.chip.make_image import Recipe, make
from bridge.virtual.chip.startup import Next, Startup, pre_init

MB = 1 << 20


@functools.cache
def built(size: int = 4 * MB, fresh: bool = True) -> bytes:
    return make(Recipe(("net", "node", "tmr"), flash_size=size, fresh=fresh))


def flashed(data: bytes, size: int = 4 * MB) -> tuple[FlashMemory, Image]:
    flash = FlashMemory(size)
    flash.program(0, data)
    image = parse(data)
    assert image is not None and image.valid
    return flash, image


def boots(flash: FlashMemory, image: Image) -> list[Startup]:
    """Boot until something else than a reboot comes."""
    outcomes = [pre_init(flash, image)]
    while outcomes[-1].next is Next.REBOOT:
        outcomes.append(pre_init(flash, image))
    return outcomes


def test_first_boot_is_two_boots() -> None:
    flash, image = flashed(built())
    first, second = boots(flash, image)
    assert first.text == "system SPI FI size:4, Flash size: 4194304\n"
    assert second.next is Next.RUN
    assert second.text == (
        "system SPI FI size:4, Flash size: 4194304\nWriting Init Data to 0x0000f000\n"
        "boot not set\nota1 not set\nota2 not set\n"
        "rf cal sector: 13\nfreq trace enable 0\nrf[112] : 00\nrf[113] : 00\nrf[114] : 01\n"
    )
    assert second.seconds > 0.045
    assert second.facts is not None and second.facts.modules == ("net", "node", "tmr")
    table = rcr.partition_table(flash)
    spiffs = find(table or (), PartitionType.SPIFFS0)
    assert spiffs is not None and spiffs.end == 4 * MB - 0x3000
    assert flash.read(0xF000, 1) == b"\x05"


def test_an_image_with_its_table_boots_once_and_stays_as_it_was_written() -> None:
    data = built(fresh=False)
    flash, image = flashed(data)
    (only,) = boots(flash, image)
    assert only.next is Next.RUN and "Writing Init Data" not in only.text
    assert flash.read(0, len(data)) == data
    fresh, image = flashed(built())
    boots(fresh, image)
    assert rcr.partition_table(fresh) == rcr.partition_table(flash)


def test_later_boots_are_one() -> None:
    flash, image = flashed(built())
    boots(flash, image)
    (third,) = boots(flash, image)
    assert third.next is Next.RUN and "Writing Init Data" not in third.text and third.seconds == 0


def test_startup_option_silences_the_first_line() -> None:
    flash, image = flashed(built())
    boots(flash, image)
    rcr.write(flash, rcr.Record.STARTUP_OPTION, b"\1\0\0\0")
    assert not pre_init(flash, image).text.startswith("system SPI")


@pytest.mark.parametrize("size", [MB, 2 * MB, 8 * MB, 16 * MB])
def test_every_size_boots(size: int) -> None:
    assert boots(*flashed(built(size), size))[-1].next is Next.RUN


def test_size_nibble_of_512_kb() -> None:
    outcome = pre_init(*flashed(built(MB // 2)))
    assert outcome.next is Next.HALT
    assert outcome.text == "Flash size (524288) too small to support NodeMCU\n"
    assert "size nibble 0" in outcome.why


def test_size_nibble_larger_than_the_chip() -> None:
    outcome = pre_init(*flashed(built(4 * MB), MB))
    assert outcome.next is Next.HANG
    assert outcome.text.endswith("Invalid system partition table\n")
    assert "says 4 MB of flash, the chip has 1024 KB" in outcome.why


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("at", [0x10000, 0x10001, 0x10004, 0x10050, 0x11000, 0x40000])
def test_a_changed_byte_in_the_code_in_flash(at: int, fresh: bool) -> None:
    data = bytearray(built(fresh=fresh))
    data[at] ^= 0x08
    outcome = boots(*flashed(bytes(data)))[0]
    assert outcome.next is Next.HALT and outcome.why
    assert f"irom checksum error at 0x{at & ~0xFFF:08x}\n" == outcome.text


def test_last_byte_of_the_image() -> None:
    data = bytearray(built())
    data[-1] ^= 1
    assert boots(*flashed(bytes(data)))[0].next is Next.HALT


def test_builds_before_3_and_other_firmware() -> None:
    ram = b"NodeMCU 2.2.1.0  build unspecified powered by Lua 5.1.4 on SDK 2.2.1(6ab97e9)\0"
    for data, why in [
        (ram.ljust(100, b"\0"), "this is NodeMCU 2.2.1.0"),
        (b"MicroPython".ljust(100, b"\0"), "is no NodeMCU firmware"),
    ]:
        header = struct.pack("<BBBBI", 0xE9, 1, 2, 0x40, 0x40100004) + struct.pack("<II", 0x3FFE8000, len(data))
        end = header + data
        end += bytes(15 - len(end) % 16) + bytes([checksum(data)])
        flash, image = flashed(end)
        flash.program(0x10000, b"code of another kind")
        outcome = pre_init(flash, image)
        assert outcome.next is Next.HALT and why in outcome.why and outcome.text == ""


def test_the_stand_in_for_2x_boots_and_says_nothing_of_partitions() -> None:
    flash, image = flashed(make(Recipe(("node",), flash_size=4 * MB, firmware="2.2.1")))
    (only,) = boots(flash, image)
    assert only.next is Next.RUN and only.text == "" and only.facts is not None and only.facts.is_2x


def test_no_code_in_flash() -> None:
    flash, image = flashed(built())
    flash.erase(0x10000, 3 * MB)
    outcome = pre_init(flash, image)
    assert outcome.next is Next.HALT and "nothing is flashed at 0x10000" in outcome.why


def test_image_at_0x10000_over_a_good_one() -> None:
    flash, image = flashed(built())
    boots(flash, image)
    flash.erase(0x10000, len(built()))
    flash.program(0x10000, built())
    outcome = pre_init(flash, image)
    assert outcome.next is Next.HALT and "a whole image seems to begin at 0x10000" in outcome.why


def test_init_data_that_are_gone() -> None:
    flash, image = flashed(built(fresh=False))
    flash.erase(0xF000, 0x1000)
    outcome = pre_init(flash, image)
    assert outcome.next is Next.HALT
    assert outcome.text.endswith("rf_cal[0] !=0x05,is 0xFF\n") and "init data at 0x0f000" in outcome.why


def test_a_file_system_does_not_disturb_the_boot() -> None:
    flash, image = flashed(built())
    boots(flash, image)
    spiffs = find(rcr.partition_table(flash) or (), PartitionType.SPIFFS0)
    assert spiffs is not None
    flash.program(spiffs.address, b"NodeMCU 9.9 powered by Lua 5.3.6\0" * 1000)
    facts = pre_init(flash, image).facts
    assert facts is not None and facts.lua == "5.1"


def test_a_table_that_does_not_fit_is_refused() -> None:
    flash, image = flashed(built())
    boots(flash, image)
    table = rcr.read(flash, rcr.Record.PARTITION_TABLE)
    assert table is not None
    rcr.write(flash, rcr.Record.PARTITION_TABLE, table[12:])
    (outcome,) = boots(flash, image)
    assert outcome.next is Next.RUN
    rcr.write(flash, rcr.Record.PARTITION_TABLE, table[24:])
    (outcome,) = boots(flash, image)
    assert outcome.next is Next.HANG and outcome.text.endswith("Invalid system partition table\n")
    assert "no RF_CAL partition" in outcome.why
