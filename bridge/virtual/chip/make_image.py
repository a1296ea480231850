"""Firmware images for the virtual board: stand-ins for a stock build, made with esptool's own image tools.

A stand-in has the shape of a build of NodeMCU 3.0.0 (segments, partition table, the texts that tell Lua version,
number type and modules) and no machine code. It says so itself, in its banner and in its contents. On a real chip it
does nothing but wait for the watchdog.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bridge.child_python import some_home
from bridge.errors import ImageError, UsageError
from bridge.virtual.chip import content
from bridge.virtual.chip.elf import build as build_elf
from bridge.virtual.chip.image import find_facts, parse
from bridge.virtual.chip.startup import init_data
from bridge.virtual.clock import is_virtual
from bridge.virtual.options import VirtualOptions

#: Sizes by esptool's names, as `elf2image --flash-size` takes them.
SIZE_NAMES = {
    1 << 18: "256KB",
    1 << 19: "512KB",
    1 << 20: "1MB",
    1 << 21: "2MB",
    1 << 22: "4MB",
    1 << 23: "8MB",
    1 << 24: "16MB",
}
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Recipe:
    """What an image is to contain.

    Raises:
        UsageError: no build can be like that.
    """

    modules: tuple[str, ...]
    lua: str = "5.1"
    number: str = "float"
    ssl: bool = False
    """The banner says SSL: true; it does so with the module `tls` anyway, which needs CLIENT_SSL_ENABLE."""
    flash_size: int = 4 << 20
    """Goes into the header's size nibble; esptool's own default for a build is 1 MB."""
    fresh: bool = False
    """True: as it comes from the compiler. The first boot then writes the partition table and the init data and
    starts again, and what is flashed differs from the file. False: these are in the image, as after
    nodemcu-partition.py, for a flash of `flash_size`."""
    firmware: str = "3.0.0"
    """Release: 3.0.0 or 2.2.1."""

    def __post_init__(self) -> None:
        if self.lua not in content.LUA_RELEASES:
            raise UsageError(f"lua={self.lua} is not a Lua version of NodeMCU", remedy="Use 5.1 or 5.3.")
        if self.number not in ("float", "integer", "double"):
            raise UsageError(f"number={self.number} is not a number type", remedy="Use float, integer or double.")
        if self.flash_size not in SIZE_NAMES:
            known = ", ".join(SIZE_NAMES.values())
            raise UsageError(f"A flash of {self.flash_size} bytes does not exist", remedy=f"Known sizes: {known}.")
        for name in self.modules:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise UsageError(f"{name!r} is not the name of a module", remedy="Write names as in modules=net,tmr.")

    @classmethod
    def of(cls, options: VirtualOptions) -> Recipe:
        """The recipe of a virtual board's factory firmware."""
        return cls(
            options.module_names,
            options.lua,
            options.number,
            options.ssl,
            options.flash_size,
            firmware=options.firmware,
        )


async def stock_image(options: VirtualOptions) -> bytes:
    """The factory firmware of a virtual board: a combined binary for offset 0.

    Raises:
        UsageError: the options name no build that could be.
        ImageError: esptool failed; carries its last words.
    """
    recipe = Recipe.of(options)
    cached = _cached(recipe)
    if cached is not None:
        return cached
    if is_virtual(asyncio.get_running_loop()):
        return make(recipe)  # nothing may wait outside a virtual clock's loop
    return await asyncio.to_thread(make, recipe)


def make(recipe: Recipe) -> bytes:
    """The image, from the user's cache if it was made before.

    Raises:
        ImageError: esptool failed; carries its last words.
    """
    cached = _cached(recipe)
    if cached is not None:
        return cached
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as name:
        folder = Path(name)
        (folder / "app.elf").write_bytes(build_elf(content.ENTRY, content.sections(recipe)))
        _esptool(folder, "elf2image", "--flash-mode", "dio", "--flash-freq", "40m",
                 "--flash-size", SIZE_NAMES[recipe.flash_size], "--output", "app-", "app.elf")  # fmt: skip
        files = ["0x00000", "app-0x00000.bin"]
        if not recipe.fresh:
            (folder / "init.bin").write_bytes(init_data())
            files += ["0x0f000", "init.bin"]
        _esptool(folder, "merge-bin", "--output", "app.bin", *files, "0x10000", "app-0x10000.bin")
        data = (folder / "app.bin").read_bytes()
    _keep(recipe, data)
    return data


def _esptool(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "esptool", "--chip", "esp8266", *arguments]
    # An esptool.cfg of the user's must not shape the image: esptool looks for one in the working folder first.
    (folder / "esptool.cfg").write_text("[esptool]\n")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        env={**os.environ, **some_home()},
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise ImageError(f"esptool {arguments[0]} failed: {last}", remedy="Install esptool 5 beside this package.")


def _cache_file(recipe: Recipe) -> Path | None:
    """None where there is no home folder."""
    # Everything the image depends on: the recipe, this project's way of making it, and esptool's version.
    key = hashlib.sha256(repr((recipe, content.digest(recipe), version("esptool"))).encode()).hexdigest()
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(root) / "nodemcu-bridge" / "images" / f"{key[:32]}.bin" if os.path.isabs(root) else None


def _cached(recipe: Recipe) -> bytes | None:
    file = _cache_file(recipe)
    if file is None:
        return None
    try:
        data = file.read_bytes()
    except OSError:
        return None
    image = parse(data)
    facts = find_facts(data)
    whole = image is not None and image.valid and facts is not None and content.whole(data)
    return data if whole else None


def _keep(recipe: Recipe, data: bytes) -> None:
    file = _cache_file(recipe)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as fresh:
            fresh.write(data)
        os.replace(fresh.name, file)
    except OSError:
        pass  # a read-only home only means that the next board makes its image again
