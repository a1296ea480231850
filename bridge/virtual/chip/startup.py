"""The first code of NodeMCU 3.x: `user_pre_init` (app/user/user_main.c), which sets the flash up and may refuse it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bridge.virtual.chip import rcr
from bridge.virtual.chip.flash import FlashMemory, erase_seconds, program_seconds
from bridge.virtual.chip.image import Image, ImageFacts, find_facts, parse
from bridge.virtual.chip.layout import (
    IROM_OFFSET,
    SECTOR,
    SIZE_OF_NIBBLE,
    LayoutError,
    Partition,
    PartitionType,
    find,
    first_time_setup,
    needs_first_time_setup,
    pack_table,
    unpack_table,
)
from bridge.virtual.chip.seal import Seal, broken_sector

#: `esp_init_data_default.bin` begins with this byte; the SDK halts on anything else.
INIT_DATA_MARK = 0x05
#: The C source waits this long before it jumps to the reset handler.
_SETTLE_S = 5e-3


class Next(Enum):
    """What the chip does after `user_pre_init`."""

    RUN = "go on to user_init"
    REBOOT = "jump to the reset handler"
    HALT = "do nothing any more"
    HANG = "wait in a loop for the watchdog"


@dataclass(frozen=True)
class Startup:
    """Outcome of `user_pre_init`."""

    next: Next
    text: str = ""
    """What was printed, with `\\n` line ends."""
    why: str = ""
    """One sentence for a person if the firmware does not start."""
    seconds: float = 0.0
    """Time spent on the flash."""
    facts: ImageFacts | None = None


def pre_init(flash: FlashMemory, image: Image) -> Startup:
    """Run `user_pre_init` on what is flashed.

    Args:
        flash: read, and written at a first boot (partition table, init data).
        image: what the boot ROM has loaded; known to be valid.
    """
    seal = Seal.find(b"".join(segment.data for segment in image.segments))
    # The CPU's window onto the flash shows the first megabyte.
    irom = flash.read(IROM_OFFSET, min(flash.size, 0x100000) - IROM_OFFSET) if flash.size > IROM_OFFSET else b""
    if not irom.strip(b"\xff"):
        return Startup(Next.HALT, why=f"nothing is flashed at 0x{IROM_OFFSET:05x}, where the code in flash should be")
    table_bytes = rcr.read(flash, rcr.Record.PARTITION_TABLE)
    table = unpack_table(table_bytes) if table_bytes is not None else ()
    fresh = needs_first_time_setup(table)
    if seal is not None:
        broken = broken_sector(seal, irom)
        if broken is not None:
            at = IROM_OFFSET + broken * SECTOR
            text = f"irom checksum error at 0x{at:08x}\n"
            why = f"the code in flash is not what was built: it differs in the 4 KiB from 0x{at:05x}"
            if parse(irom) is not None:
                why += f"; a whole image seems to begin at 0x{IROM_OFFSET:05x}, and belongs at 0x00000"
            return Startup(Next.HALT, text, why)
    # Builds of 3.x have their texts in flash, the first ones had them in RAM.
    ram = b"".join(segment.data for segment in image.segments)
    facts = find_facts(irom) or find_facts(ram)
    if facts is None:
        return Startup(Next.HALT, why=f"what is flashed at 0x{IROM_OFFSET:05x} is no NodeMCU firmware")
    if not table and facts.is_2x:
        return Startup(Next.HALT, why=f"a virtual board runs builds of NodeMCU 3.x; this is NodeMCU {facts.version}")
    outcome = _set_up(flash, image, table, fresh, facts)
    # The stand-in for a 2.x has the flash layout of a 3.x, of which a 2.x would know and say nothing.
    return replace(outcome, text="") if facts.is_2x and outcome.next is Next.RUN else outcome


def _set_up(flash: FlashMemory, image: Image, table: tuple[Partition, ...], fresh: bool, facts: ImageFacts) -> Startup:
    nibble = image.size_nibble
    # A nibble beyond the array reads what lies behind it in the C source; no known tool writes one.
    size = SIZE_OF_NIBBLE[nibble] if nibble < len(SIZE_OF_NIBBLE) else 0
    if size < 1 << 20:
        why = f"the image header says {size >> 10} KB of flash (size nibble {nibble}); NodeMCU 3.x needs 1 MB or more"
        return Startup(Next.HALT, f"Flash size ({size}) too small to support NodeMCU\n", why)
    text = ""
    if not rcr.startup_option(flash) & rcr.StartupOption.NO_BANNER:
        text += f"system SPI FI size:{nibble}, Flash size: {size}\n"
    if not table:
        why = f"there is no partition table at 0x{IROM_OFFSET:05x}: the firmware is not at its offset, or not 3.x"
        return Startup(Next.HALT, text, why)
    if size > flash.size:
        why = f"the image header says {size >> 20} MB of flash, the chip has {flash.size >> 10} KB"
        return Startup(Next.HANG, text + "Invalid system partition table\n", why)
    seconds = 0.0
    if fresh:
        try:
            table = first_time_setup(table, size)
        except LayoutError as error:
            return Startup(Next.HANG, f"{text}{error}\n", "the partition table of this build does not fit the flash")
        data = pack_table(table)
        rcr.write(flash, rcr.Record.PARTITION_TABLE, data)
        return Startup(Next.REBOOT, text, seconds=program_seconds(len(data)) * flash.factor + _SETTLE_S)
    phy = find(table, PartitionType.PHY_DATA)
    if phy is not None and rcr.read(flash, rcr.Record.PHY_DATA) is None:
        if flash.read(phy.address, 1)[0] != INIT_DATA_MARK:
            flash.erase(phy.address, SECTOR)
            flash.program(phy.address, init_data())
            text += f"Writing Init Data to 0x{phy.address:08x}\n"
            seconds += (erase_seconds(SECTOR) + program_seconds(128)) * flash.factor
        rcr.write(flash, rcr.Record.PHY_DATA, phy.address.to_bytes(4, "little"))
        seconds += program_seconds(8) * flash.factor
    fault = _unfit(table, size)
    if fault:
        return Startup(Next.HANG, text + "Invalid system partition table\n", fault, seconds)
    # What SDK 3 goes on to print before user_init sets the UART up (nodemcu-firmware issue 3312, SDK issue 212).
    rf_cal = find(table, PartitionType.RF_CAL)
    assert rf_cal is not None and phy is not None
    mark = flash.read(phy.address, 1)[0]
    if mark != INIT_DATA_MARK:
        # nodemcu-firmware issue 1449 and docs/flash.md.
        why = f"the init data at 0x{phy.address:05x} begin with 0x{mark:02X} instead of 0x05"
        return Startup(Next.HALT, f"{text}rf_cal[0] !=0x05,is 0x{mark:02X}\n", why, seconds)
    text += "boot not set\nota1 not set\nota2 not set\n"
    text += (
        f"rf cal sector: {rf_cal.address // SECTOR}\nfreq trace enable 0\nrf[112] : 00\nrf[113] : 00\nrf[114] : 01\n"
    )
    return Startup(Next.RUN, text, seconds=seconds, facts=facts)


def init_data() -> bytes:
    """128 bytes in place of `esp_init_data_default.bin`; only the first is ever looked at here."""
    return bytes([INIT_DATA_MARK]) + bytes(127)


def _unfit(table: tuple[Partition, ...], size: int) -> str:
    """Why `system_partition_table_regist` refuses the table; empty if it does not."""
    for needed in (PartitionType.RF_CAL, PartitionType.PHY_DATA, PartitionType.SYSTEM_PARAMETER):
        if find(table, needed) is None:
            return f"the partition table has no {needed.name} partition"
    last = 0
    for row in sorted(table, key=lambda row: row.address):
        if row.address % SECTOR or row.size % SECTOR or row.address < last or row.end > size:
            return f"partition type {row.type} at 0x{row.address:x} overlaps another, is not aligned or does not fit"
        last = row.end
    return ""
