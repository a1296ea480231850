"""Writes firmware to a board with the real esptool, as a process of its own.

A process per board keeps the boards apart (esptool has one logger per process), gives each a log of its own, and is
ended by ending it.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import BridgeError, FlashError, PortBusy, PortError, PortLost, PortNotFound, UsageError
from bridge.image import ImageFacts, ImagePart, check_image
from bridge.ports.lock import hold_port

#: What most adapters do reliably; profiles may say more.
FLASH_BAUD = 460_800
#: Seconds without a word from esptool after which it counts as stuck; its own longest silence is erasing 16 MB.
SILENCE = 150.0
#: Seconds an interrupted esptool has to end by itself.
KILL_AFTER = 3.0
#: High nibble of byte 3 of an image for 4 MB of flash.
_FLASH_4M = 4
#: Bytes of output kept to explain a failure.
_KEPT = 16_384

_PERCENT = re.compile(r"Writing at 0x[0-9a-f]+ .*?(\d+(?:\.\d+)?)%")
#: esptool's words → what is going on, for people.
_STAGES = (
    ("Connecting", "connecting to the ROM loader"),
    ("Uploading stub", "starting the flasher"),
    ("Flash will be erased", "erasing"),
    ("Writing at", "writing"),
    ("Verifying", "verifying"),
    ("Hard resetting", "resetting"),
)


@dataclass(frozen=True)
class FlashProgress:
    """What flashing is at."""

    stage: str
    """In words: "connecting to the ROM loader", …, "writing", "verifying", "resetting"."""
    fraction: float | None = None
    """How much has been written, 0 to 1; None in other stages."""


@dataclass(frozen=True)
class FlashReport:
    """What was done."""

    facts: ImageFacts
    """What the image says of itself."""
    chip: str
    """As esptool names it, e.g. "ESP8266EX"."""
    mac: str
    """Station address of the chip, e.g. "5c:cf:7f:00:11:22"."""
    size: int
    """Bytes of firmware."""
    seconds: float
    """How long it took, with connecting and verifying."""


async def flash_image(
    url: str,
    parts: Sequence[ImagePart],
    *,
    baud: int = FLASH_BAUD,
    erase: bool = False,
    needs: Sequence[str] = ("net",),
    progress: Callable[[FlashProgress], None] | None = None,
    log: Path | None = None,
) -> FlashReport:
    """Check an image, write it, verify it, and reset the board into it.

    The image is checked before the board is touched. The size of the flash is asked of the chip and put into the
    image: builds come with a header that says 512 KB, with which the firmware does not start.

    Args:
        url: port of the board. `virtual:` makes a board, writes to it and forgets it, unless it has a `flash_file`.
        parts: from `bridge.image.load_image`.
        baud: speed for writing.
        erase: erase the whole flash first; files and Wi-Fi settings are lost.
        needs: modules that the image must have.
        progress: called on the event loop.
        log: file that gets esptool's output, appended.

    Raises:
        ImageError: the image is not for ESP8266, is damaged, or lacks a module.
        PortNotFound, PortBusy, PortError: the port cannot be opened.
        PortLost: the board was unplugged meanwhile.
        FlashError: no ESP8266 answered in its ROM loader, or writing failed; carries esptool's last words.
    """
    facts = check_image(parts, needs)
    if url.startswith("socket:"):
        raise UsageError(
            f"{url} has no lines to reset the board with", port=url, remedy="Use an rfc2217:// port to flash."
        )
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
        arguments = ["write-flash", *_place(parts, Path(folder))]
        if erase:
            arguments.insert(1, "--erase-all")
        async with reachable(url) as served:
            output = await run_esptool(served, arguments, baud=baud, progress=progress, log=log, url=url)
    return FlashReport(
        facts,
        chip=_said(output, r"Chip type:\s+(\S+)"),
        mac=_said(output, r"MAC:\s+(\S+)"),
        size=sum(len(part.data) for part in parts),
        seconds=time.monotonic() - started,
    )


def _place(parts: Sequence[ImagePart], folder: Path) -> list[str]:
    """Write the parts to files, and return esptool's arguments for them."""
    size = "detect"
    files = []
    for part in parts:
        data = part.data
        if part.offset == 0 and data[23] == 1:
            # esptool 5 takes such a byte of an ESP8266 image for "a SHA-256 follows", and would overwrite what
            # follows when it changes the header; so change it here (app/include/user_config.h: FLASH_4M).
            size, data = "keep", data[:3] + bytes([_FLASH_4M << 4 | data[3] & 15]) + data[4:]
        path = folder / f"{part.offset:#x}.bin"
        path.write_bytes(data)
        files += [f"{part.offset:#x}", str(path)]
    return ["--flash-size", size, *files]


async def run_esptool(
    served: str,
    arguments: Sequence[str],
    *,
    baud: int = FLASH_BAUD,
    progress: Callable[[FlashProgress], None] | None = None,
    log: Path | None = None,
    url: str | None = None,
) -> str:
    """Run esptool for an ESP8266 and wait for its end; a cancelled wait ends it.

    Args:
        served: the port as esptool opens it.
        arguments: the command and its arguments.
        baud: speed after the flasher has started.
        progress: called on the event loop.
        log: file that gets the output, appended.
        url: the port as the user named it, for messages.

    Returns:
        The end of its output.

    Raises:
        PortNotFound, PortBusy, PortLost, PortError, FlashError: it failed; says why.
        UsageError: the log cannot be written.
    """
    if log is not None:
        _check_log(log)
    command = [sys.executable, "-m", "bridge.ports.esptool_handler", "--chip", "esp8266", "--port", served]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--baud",
        str(baud),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
    )
    try:
        output = await _follow(process, progress, log)
        code = await process.wait()
    except TimeoutError as error:
        raise FlashError(
            f"esptool said nothing for {SILENCE:g} s", port=url or served, remedy="Plug the board in again and retry."
        ) from error
    finally:
        await _end(process)
    if code != 0:
        raise explain(output, url or served)
    return output


def _check_log(log: Path) -> None:
    try:
        log.open("a", encoding="utf-8").close()
    except OSError as error:
        raise UsageError(f"{log} cannot be written ({error.strerror})", remedy="Check the log's name.") from error


async def _follow(
    process: asyncio.subprocess.Process, progress: Callable[[FlashProgress], None] | None, log: Path | None
) -> str:
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    output = ""
    line = ""
    stage = ""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(log.open("a", encoding="utf-8")) if log is not None else None
        while True:
            async with asyncio.timeout(SILENCE):
                data = await process.stdout.read(4096)
            if not data:
                return output
            text = decoder.decode(data)
            if file is not None:
                file.write(text)
            output = (output + text)[-_KEPT:]
            # A progress bar comes in pieces, and is redrawn with CR on some terminals: look at each whole line.
            *lines, line = re.split(r"[\r\n]", line + text)
            for entry in (*lines, line):
                found = next((name for words, name in _STAGES if entry.startswith(words)), stage)
                percent = _PERCENT.search(entry)
                if progress is not None and (found != stage or percent):
                    progress(FlashProgress(found, float(percent.group(1)) / 100 if percent else None))
                stage = found


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(KILL_AFTER):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def explain(output: str, url: str) -> BridgeError:
    """The error for esptool's last words."""
    fatal = re.search(r"A fatal error occurred: (.*)", output, re.S)
    words = (fatal.group(1) if fatal else output).strip()
    first = words.split("\n", 1)[0].strip()
    lowered = words.lower()
    if "could not open" in lowered or "could not exclusively lock" in lowered:
        if any(sign in lowered for sign in ("errno 11]", "errno 16]", "exclusively lock", "access is denied")):
            return PortBusy(f"Another program has {url} open", port=url, remedy="Close it and try again.")
        if "permission denied" in lowered:
            return PortError(
                f"This user may not open {url}", port=url, remedy="Join the group that may (dialout or uucp)."
            )
        return PortNotFound(
            f"There is no port {url}",
            port=url,
            remedy="Plug the board in, or see which ports there are with `nodemcu-bridge boards`.",
        )
    if any(sign in lowered for sign in ("was lost", "device disconnected", "closed the connection", "input/output")):
        return PortLost(f"{url} went away while flashing", port=url, remedy="Plug the board in and flash it again.")
    if re.search(r"This chip is (?!ESP8266)", words):
        return FlashError(f"{url}: {first}", port=url, remedy="This program is for ESP8266 boards.")
    if "failed to connect" in lowered:
        return FlashError(
            "No ESP8266 answers in its ROM loader",
            port=url,
            remedy="Check port and cable, or hold FLASH, press RESET, let go of both, and try again.",
        )
    return FlashError(
        f"esptool failed: {first or 'it said nothing'}", port=url, remedy="Try again, with a lower --baud."
    )


def _said(output: str, pattern: str) -> str:
    found = re.search(pattern, output)
    return found.group(1) if found else ""


@contextlib.asynccontextmanager
async def reachable(url: str) -> AsyncIterator[str]:
    """A URL through which another process reaches a port: a virtual board is served on loopback meanwhile.

    Args:
        url: any port's URL.
    """
    if not url.startswith("virtual:"):
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
