"""Writes firmware to a board with the real esptool, as a process of its own.

A process per board keeps the boards apart (esptool has one logger per process), gives each a log of its own, and is
ended by ending it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bridge.errors import BridgeError, FilesWouldBeLost, FlashError, ImageError, PortError, UsageError
from bridge.flashing.backup import check_kept, load_backup, prepare_backup, restore_flash, save_flash
from bridge.flashing.chip_files import files_on_chip, files_stay, table_on_chip
from bridge.flashing.header import check_fits, corrected, lasting
from bridge.flashing.output import HALF_WRITTEN, NOTHING_WRITTEN, FlashProgress, Progress, explain
from bridge.flashing.session import Session
from bridge.flashing.table import Row, after_first_boot, file_system, read_table, records_of
from bridge.image import NEEDED, ImageFacts, ImagePart, check_image
from bridge.ports.lock import hold_port
from bridge.ports.open import check_url
from bridge.profile import Profile

__all__ = [
    "FLASH_BAUD",
    "NEEDED",
    "FlashProgress",
    "FlashReport",
    "Progress",
    "explain",
    "flash_image",
    "ladder",
    "reachable",
    "restore_backup",
]

T = TypeVar("T")

#: What most adapters do reliably; profiles may say more.
FLASH_BAUD = 460_800
#: What a UART of the chip and an adapter can be meant to do, in baud.
BAUDS = range(300, 4_608_001)
#: What is tried when a speed has failed.
_STEPS = (230_400, 115_200)


@dataclass(frozen=True)
class FlashReport:
    """What was done."""

    facts: ImageFacts
    """What the image says of itself."""
    chip: str
    """As esptool names it, e.g. "ESP8266EX"."""
    mac: str
    """Station address of the chip, e.g. "5c:cf:7f:00:11:22"."""
    flash_size: int
    """Bytes of the flash chip; 0 if esptool does not know it."""
    size: int
    """Bytes of firmware."""
    written: bool
    """False: it was there already, and nothing was written."""
    baud: int
    """The speed at which it was done; lower than asked for after failures."""
    files_lost: bool
    """The file system that was there is not there any more: the new layout has it elsewhere, or all was erased."""
    backup_kept: bool
    """The backup was there already, and was left as it is: the flash was not read."""
    seconds: float
    """How long it took, with connecting and verifying."""


def ladder(baud: int, profile: Profile | None = None) -> tuple[int, ...]:
    """The speeds that are tried, one after the other: the first, and those below it that the profile names."""
    steps = _STEPS if profile is None else sorted({*profile.bauds, 115_200}, reverse=True)
    return (baud, *(step for step in steps if step < baud))


async def flash_image(
    url: str,
    parts: Sequence[ImagePart],
    *,
    baud: int = FLASH_BAUD,
    profile: Profile | None = None,
    erase: bool = False,
    force: bool = False,
    lose_files: bool = False,
    backup: Path | None = None,
    mac: str | None = None,
    needs: Sequence[str] = NEEDED,
    progress: Progress | None = None,
    log: Path | None = None,
) -> FlashReport:
    """Check an image, write it unless it is there, verify it, and reset the board into it.

    The image is checked before the board is touched. The size of the flash is asked of the chip and put into the
    image: builds come with a header that says 512 KB, with which the firmware does not start. What is there already is
    found by its hash, which the flasher makes on the chip; stretches that the firmware writes itself do not count.

    Args:
        url: port of the board. `virtual:` makes a board, writes to it and forgets it, unless it has a `flash_file`.
        parts: from `bridge.image.load_image`.
        baud: speed for writing; when it fails, lower ones are tried.
        profile: of the board: reset lines, flash mode and size.
        erase: erase the whole flash first; files and Wi-Fi settings are lost.
        force: write also what is there already.
        lose_files: write although the new layout has the file system elsewhere, so that the files are lost.
        backup: file that gets the whole flash first; a backup that is there is kept, because what is on the flash now
            may be half of something. See `bridge.flashing.backup`.
        mac: the chip must have this address, as in `FlashReport`; another is left as it is.
        needs: modules that the image must have.
        progress: called on the event loop.
        log: file that gets esptool's output, appended.

    Raises:
        UsageError: the chip has another `mac`, the backup cannot be written, or the URL or the speed is none.
        ImageError: the image is not for ESP8266, is damaged, lacks a module, or does not fit.
        PortNotFound, PortBusy, PortError: the port cannot be opened.
        PortLost: the board was unplugged meanwhile.
        FlashError: no ESP8266 answered in its ROM loader, files would be lost, or writing failed; carries esptool's
            last words.
    """
    facts = check_image(parts, needs)
    if profile is not None:
        check_fits(parts, facts, profile.flash.size, f"the profile {profile.name}'s")
    kept = backup is not None and prepare_backup(backup, parts) is not None
    started = time.monotonic()
    saved = False

    async def work(session: Session) -> _Work:
        nonlocal saved
        if mac is not None and session.mac != mac:
            raise UsageError(
                f"The chip on {url} has the MAC address {session.mac}, and {mac} is wanted; nothing has been written",
                port=url,
                remedy="Check which board is on which port.",
            )
        if backup is not None and kept:
            check_kept(session, backup)
        elif backup is not None and not saved:
            await save_flash(session, backup)
            saved = True
        job = _Work(session, parts, facts, profile, erase, force, lose_files)
        await job.run(progress)
        return job

    job = await _at_some_speed(url, work, baud, profile, progress, log)
    session = job.session
    return FlashReport(
        facts,
        chip=session.chip,
        mac=session.mac,
        flash_size=session.flash_size,
        size=sum(len(part.data) for part in parts),
        written=job.written,
        baud=session.baud,
        files_lost=job.files_lost,
        backup_kept=kept,
        seconds=time.monotonic() - started,
    )


async def restore_backup(
    url: str,
    file: Path,
    *,
    baud: int = FLASH_BAUD,
    profile: Profile | None = None,
    progress: Progress | None = None,
    log: Path | None = None,
) -> bool:
    """Write a whole flash back; arguments and errors as for `flash_image`.

    Args:
        file: written by `flash_image` as its `backup`.

    Returns:
        False if the flash was so already.
    """
    data = load_backup(file)

    async def work(session: Session) -> bool:
        return await restore_flash(session, file, data)

    return await _at_some_speed(url, work, baud, profile, progress, log)


async def _at_some_speed(
    url: str,
    work: Callable[[Session], Awaitable[T]],
    baud: int,
    profile: Profile | None,
    progress: Progress | None,
    log: Path | None,
) -> T:
    """Do something in a connection, and reset the board; again at a lower speed when it fails."""
    if url.startswith("socket:"):
        raise UsageError(
            f"{url} has no lines to reset the board with", port=url, remedy="Use an rfc2217:// port to flash."
        )
    if baud not in BAUDS:
        raise UsageError(
            f"{baud} baud is no speed to flash at", port=url, remedy=f"Use {BAUDS.start} to {BAUDS.stop - 1} baud."
        )
    lines = profile is None or profile.reset.lines != "none"
    by_hand = "" if profile is None else profile.reset.by_hand
    half_written = False
    async with reachable(url) as served:
        for speed in (speeds := ladder(baud, profile)):
            session = Session(
                served, baud=speed, lines=lines, progress=progress, log=log, url=url, by_hand=by_hand,
                half_written=half_written,
            )  # fmt: skip
            try:
                async with session:
                    done = await work(session)
                    await session.reset()
                    return done
            except asyncio.CancelledError:
                if progress is not None:
                    progress(FlashProgress(HALF_WRITTEN if session.half_written else NOTHING_WRITTEN))
                raise
            except (PortError, UsageError, ImageError, FilesWouldBeLost):
                raise
            except FlashError:
                # Without lines nothing brings the flasher back to the speed it began at.
                if not session.connected or speed == speeds[-1] or not lines:
                    raise
                half_written = session.half_written
                if progress is not None:
                    progress(FlashProgress("failed: starting over with a lower speed"))
    raise AssertionError  # the last speed returns or raises


@dataclass
class _Work:
    """What is done in one connection."""

    session: Session
    parts: Sequence[ImagePart]
    facts: ImageFacts
    profile: Profile | None
    erase: bool
    force: bool
    lose_files: bool
    written: bool = False
    files_lost: bool = False

    async def run(self, progress: Progress | None) -> None:
        size = self.session.flash_size
        if size:
            check_fits(self.parts, self.facts, size, "this board's")
        parts = corrected(self.parts, size, self.profile)
        if progress is not None:
            progress(FlashProgress("comparing"))
        if not self.force and not self.erase and await self._is_there(parts, size):
            return
        self.files_lost = self.erase or await self._moves_files(size)
        if self.files_lost and not self.erase and not self.lose_files:
            raise FilesWouldBeLost(
                "This firmware has its file system at another place, so the files on the board would be lost; nothing "
                "has been written",
                port=self.session.url,
                remedy="Save them with --keep-files, or give them up with --lose-files.",
            )
        await self._write(parts)
        self.written = True

    async def _write(self, parts: Sequence[ImagePart]) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
                files = []
                for part in parts:
                    path = Path(folder) / f"{part.offset:#x}.bin"
                    path.write_bytes(part.data)
                    files.append((part.offset, path))
                await self.session.write(files, erase=self.erase)
        except BridgeError:
            raise
        except OSError as error:
            raise UsageError(
                f"The image cannot be laid into the folder for temporary files ({error.strerror or error}); nothing "
                "has been written",
                port=self.session.url,
                remedy="Make room there, or set TMPDIR to another folder.",
            ) from error

    async def _is_there(self, parts: Sequence[ImagePart], size: int) -> bool:
        for at, data in lasting(parts, self.facts):
            if await self.session.md5(at, len(data)) != hashlib.md5(data, usedforsecurity=False).hexdigest():
                return False
        wanted = read_table(records_of(parts))
        if not wanted:
            return True
        there = await self._table()
        return there in (wanted, after_first_boot(wanted, size))

    async def _table(self) -> tuple[Row, ...]:
        return await table_on_chip(self.session)

    async def _moves_files(self, size: int) -> bool:
        """True if there is a file system, and the new layout has it elsewhere."""
        table = await self._table()
        if table and file_system(table) == file_system(after_first_boot(read_table(records_of(self.parts)), size)):
            return False
        found = await files_on_chip(self.session)
        return found is not None and not files_stay(found, self.parts, size)


@contextlib.asynccontextmanager
async def reachable(url: str) -> AsyncIterator[str]:
    """A URL through which another process reaches a port: a virtual board is served on loopback meanwhile.

    Args:
        url: any port's URL.
    """
    if not url.startswith("virtual:"):
        check_url(url)
        with hold_port(url):
            yield url
        return
    from bridge.virtual.board import VirtualBoard
    from bridge.virtual.options import parse_url
    from bridge.virtual.rfc2217 import serve_rfc2217

    options = parse_url(url)
    if options.clock == "virtual":
        raise UsageError("esptool cannot live on the virtual clock", port=url, remedy="Leave clock=virtual out.")
    async with VirtualBoard(options) as board:
        server = await serve_rfc2217(board)
        try:
            yield server.url
        finally:
            await server.close()
