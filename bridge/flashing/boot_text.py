"""Reads what a chip prints at boot, at 74 880 baud, and says in words why no console came up.

The ROM's texts are those of real boards (esp8266/Arduino issues 435, 2370; nodemcu-firmware issue 3312); NodeMCU's own
are in app/user/user_main.c and app/platform/platform.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What the ROM speaks with the 26 MHz crystal of every module.
BOOT_BAUD = 74_880
_START = re.compile(rb"ets [A-Z][a-z]{2} [ \d]\d \d{4},rst cause:(\d+), boot mode:\((\d+),(\d+)\)")
#: What `rst cause` says.
CAUSES = {1: "power on", 2: "reset", 3: "watchdog of the software", 4: "watchdog of the hardware"}
#: So many starts within one listening make a loop.
_LOOP = 3
#: What to do where a program of the board is in the way.
PROGRAM = (
    "`flash --no-wait` leaves the waiting out; `flash --erase` takes the program away, and all files and Wi-Fi "
    "settings with it (`--backup FILE` saves the whole flash first)."
)


@dataclass(frozen=True)
class Finding:
    """Why a board does not come up."""

    kind: str
    """A word for programs: "download", "sdio", "blank", "mode", "damaged", "size", "init-data", "partitions", "loop",
    "silent", "started", "foreign"."""
    what: str
    """A clause for people."""
    remedy: str
    """A sentence on what to do."""


def diagnose(heard: bytes) -> Finding:
    """Say what is wrong with a board by what it printed at `BOOT_BAUD` after a reset.

    Args:
        heard: everything from the reset on, some seconds of it.
    """
    starts = list(_START.finditer(heard))
    if not starts:
        return _no_start(heard)
    last = starts[-1]
    cause, mode = int(last[1]), int(last[2]) & 7
    said = heard[last.end() :]
    if mode in (1, 0):
        return Finding(
            "download",
            f"GPIO0 is held low: the chip waits in its ROM loader (boot mode {mode})",
            "Let go of FLASH, or take away what pulls GPIO0 (D3) low, and reset the board.",
        )
    if mode != 3:
        return Finding(
            "sdio",
            f"the chip does not boot from its flash (boot mode {mode}): GPIO15 is high, or GPIO0 and GPIO2 are wrong",
            "GPIO15 (D8) must be low, GPIO0 (D3) and GPIO2 (D4) high when the board starts.",
        )
    # The reason is looked for in every start: in a loop the last one may be cut.
    return _firmware(heard) or _rom(said, heard) or _loop(starts, cause) or _after_load(said, cause)


def _no_start(heard: bytes) -> Finding:
    if not heard:
        return Finding(
            "silent",
            "the chip prints nothing at boot",
            "Check its power (3.3 V, 300 mA), that EN is high, and the wiring of TX.",
        )
    return Finding(
        "foreign",
        "what the chip prints at boot is no text of an ESP8266",
        "Check that this is its port, and the wiring.",
    )


def _firmware(heard: bytes) -> Finding | None:
    if re.search(rb"rf_cal\[0\] ?!= ?0x05", heard):
        return Finding(
            "init-data",
            "the init data of the radio are missing or wrong",
            "Flash again with --erase; files and Wi-Fi settings go with it.",
        )
    if (small := re.search(rb"Flash size \((\d+)\) too small", heard)) is not None:
        return Finding(
            "size",
            f"the image's header says {int(small[1]) >> 10} KB of flash, too little for NodeMCU 3.x",
            "Flash it with `nodemcu-bridge flash`, which puts the header right.",
        )
    if (where := re.search(rb"irom checksum error at (0x[0-9a-f]+)", heard)) is not None:
        return Finding(
            "damaged",
            f"the firmware in the flash is damaged at {where[1].decode()}",
            "Flash it again with --force.",
        )
    if re.search(rb"Invalid system partition table|Partition \d+ invalid alignment", heard):
        return Finding(
            "partitions",
            "the partition table does not fit the flash",
            "Flash it again with --erase, or build it with a smaller LFS or file system.",
        )
    return None


def _rom(said: bytes, heard: bytes) -> Finding | None:
    loaded = re.search(rb"load 0x[0-9a-f]{8}, len ", said)
    if b"csum err" in heard:
        return Finding(
            "mode",
            "the boot ROM reads wrong bytes from the flash (checksum error)",
            "The flash mode is wrong for this board (try --profile with flash.mode dio or dout), or the image was "
            "written badly: flash it again with --force.",
        )
    if b"ets_main.c" in said and not loaded:
        return Finding(
            "blank",
            "the boot ROM finds no image in the flash",
            "The flash is empty, or its mode is wrong for this board: flash it, with --profile if there is one.",
        )
    if b"ets_main.c" in said:
        return Finding("damaged", "the boot ROM cannot load the image", "Flash it again with --force.")
    return None


def _loop(starts: list[re.Match[bytes]], cause: int) -> Finding | None:
    if len(starts) < _LOOP:
        return None
    return looping(f"{len(starts)} times, by {CAUSES.get(cause, f'cause {cause}')}")


def looping(how: str) -> Finding:
    """A board that restarts again and again.

    Args:
        how: how often, in words.
    """
    return Finding(
        "loop",
        f"the board restarts again and again ({how})",
        f"Check its power supply. If its init.lua does it: {PROGRAM}",
    )


def _after_load(said: bytes, cause: int) -> Finding:
    if not re.search(rb"csum 0x[0-9a-f]{2}", said):
        return Finding(
            "mode",
            "the boot ROM stops while it loads the image",
            "The flash mode may be wrong for this board: try --profile with flash.mode dio or dout.",
        )
    return Finding(
        "started",
        f"the boot ROM starts the firmware (after {CAUSES.get(cause, f'cause {cause}')}), and no console comes up",
        f"Its console may have another speed (see --baud of `info`), or its init.lua may hold it: {PROGRAM}",
    )
