"""Waits until what was flashed has started: formatting at a first boot, the double boot, and why nothing comes up."""

from __future__ import annotations

import asyncio

from bridge.errors import BootLoop, BridgeError, FlashError, PortError, ReplError
from bridge.flashing.boot_text import BOOT_BAUD, Finding, diagnose, looping
from bridge.flashing.output import FlashProgress, Progress
from bridge.ports.base import CONSOLE_BAUD, Port
from bridge.ports.open import open_port
from bridge.repl import Repl

#: Seconds for the prompt after a reset: two boots, the second with the mounting of a file system. Formatting takes
#: longer and is waited for as long as its dots come (`bridge.repl`).
PROMPT_SECONDS = 12.0
#: Seconds to listen to a board that is not coming up: three turns of a loop with a watchdog in it.
LISTEN_SECONDS = 4.0
#: What a first boot says (app/modules/file.c).
_FORMATTING = b"Formatting file system"
#: Seconds that EN is held low.
_HOLD = 0.1


async def await_prompt(
    where: str | Port,
    *,
    baud: int = CONSOLE_BAUD,
    lines: bool = True,
    progress: Progress | None = None,
    seconds: float = PROMPT_SECONDS,
) -> None:
    """Wait for the Lua prompt of a board that has just been flashed and reset.

    Args:
        where: its port's URL, or its port, open, which stays the caller's to close.
        baud: speed of its console.
        lines: False if no reset lines are wired.
        progress: told of the stages.
        seconds: how long, formatting not counted.

    Raises:
        FlashError: it does not come up; says why.
        PortNotFound, PortBusy, PortLost, PortError: the port cannot be opened, or went away.
    """

    def tell(stage: str) -> None:
        if progress is not None:
            progress(FlashProgress(stage))

    heard = b""

    def hear(data: bytes) -> None:
        nonlocal heard
        heard = heard[1 - len(_FORMATTING) :] + data
        if _FORMATTING in heard:
            heard = b""
            tell("formatting the file system")

    tell("starting")
    port = await open_port(where, baud=baud) if isinstance(where, str) else where
    try:
        repl = Repl(port, on_text=hear)
        try:
            await repl.sync(seconds)
            return
        except PortError:
            raise
        except (ReplError, BootLoop) as error:
            reason: BridgeError = error
        finally:
            repl.release()
        if repl.formats:
            # A reset would begin it anew, and leave half a file system where it does not.
            raise FlashError(
                "The board does not come up: it was making its file system, and has fallen silent",
                port=port.url,
                remedy=reason.remedy,
            ) from reason
        tell("listening to the boot text")
        finding = await listen(port, lines=lines)
        if isinstance(reason, BootLoop) and finding.kind == "started":
            # A watchdog takes seconds: too few starts for the listening, enough for the waiting.
            finding = looping(reason.message.partition(", ")[2])
    finally:
        if port is not where:
            await port.close()
    raise FlashError(f"The board does not come up: {finding.what}", port=port.url, remedy=finding.remedy) from reason


async def listen(port: Port, *, lines: bool = True, seconds: float = LISTEN_SECONDS) -> Finding:
    """Reset a board and read what it prints at boot.

    Args:
        port: open; its speed is changed and put back, its receiver used and given back.
        lines: False if no reset lines are wired: whatever comes is read, without a reset.
        seconds: how long.
    """
    heard = bytearray()
    baud = port.baud
    await port.set_baud(BOOT_BAUD)
    port.set_receiver(heard.extend)
    try:
        if lines:
            await port.set_lines(dtr=False, rts=True)
            await asyncio.sleep(_HOLD)
            heard.clear()
            await port.set_lines(dtr=False, rts=False)
        await asyncio.sleep(seconds)
    finally:
        port.set_receiver(None)
        await port.set_baud(baud)
    return diagnose(bytes(heard))
