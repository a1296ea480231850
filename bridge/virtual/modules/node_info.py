"""`node.info` (app/modules/node.c): what the firmware says of itself and of the chip."""

from __future__ import annotations

from bridge.virtual.chip.efuse import chip_id, mac_address
from bridge.virtual.chip.layout import told_size
from bridge.virtual.lua.api import Args, Value
from bridge.virtual.sdk.system import System

_OPTIONS = ("lfs", "hw", "sw_version", "build_config", "legacy")
#: Low nibble of byte 3 of the image header, in Hz (`flash_rom_get_speed`).
_SPEEDS = {0: 40_000_000, 1: 26_700_000, 2: 20_000_000, 15: 80_000_000}
#: NODE_VERSION_… come from the SDK's header.
_VERSION = (3, 0, 0)


def info(system: System, arguments: Args) -> Value:
    """Answer one call."""
    image, flash = system.image, system.flash
    # 2.x looks at no argument, and has nothing but the eight numbers.
    option = "legacy" if image.is_2x else _OPTIONS[arguments.check_option(1, _OPTIONS, "legacy")]
    header = flash.read(0, 4)
    kilobytes = told_size(header) // 1024
    mode, speed = header[2], _SPEEDS.get(header[3] & 15, 0)
    chip = chip_id(mac_address(system.options))
    if option == "lfs":
        return system.lua.table({"lfs_mapped": 0, "lfs_base": 0, "lfs_size": 0, "lfs_used": 0}, 4)
    if option == "hw":
        return system.lua.table(
            {
                "chip_id": chip,
                "flash_id": flash.jedec_id,
                "flash_size": kilobytes,
                "flash_mode": mode,
                "flash_speed": speed,
            },
            5,
        )
    if option == "sw_version":
        names = ("node_version_major", "node_version_minor", "node_version_revision")
        return system.lua.table(
            dict(zip(names, _VERSION, strict=True))
            | {
                "git_branch": image.branch,
                "git_commit_id": image.commit,
                "git_release": image.release,
                "git_commit_dts": image.release_dts,
            },
            7,
        )
    if option == "build_config":
        return system.lua.table(
            {
                "ssl": image.ssl,
                "lfs_size": image.lfs_size,
                "modules": ",".join(image.modules),
                "number_type": image.number,
            },
            4,
        )
    if image.is_2x:
        major, minor, revision, *_ = map(int, image.version.split("."))
        return (major, minor, revision, chip, flash.jedec_id, kilobytes, mode, speed)
    system.deprecated("node.info() without parameter", "in the next version")
    return (*_VERSION, chip, flash.jedec_id, kilobytes, mode, speed)
