"""`nodemcu-bridge exec`, and what `run` shares with it."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from pydantic import RootModel

from bridge.cli.json_output import json_output, print_json
from bridge.cli.options import SECONDS, baud_option, port_option, profile_option, trace_option, wait_option
from bridge.errors import UsageError
from bridge.mirror.handle import Remote
from bridge.opening import open_board
from bridge.ports.open import run_for
from bridge.profile import Profile
from bridge.wire.values import Opaque, Value


class ExecOutput(RootModel[list[Any]]):
    """What the chunk returned; see `plain` for how values of Lua are written."""


@click.command("exec")
@click.argument("source")
@port_option
@profile_option
@baud_option
@click.option("--timeout", type=SECONDS, default=30.0, show_default=True, help="Seconds that the source may run.")
@wait_option
@trace_option
@json_output(ExecOutput)
def execute(
    source: str,
    url: str,
    profile: Profile | None,
    baud: int,
    timeout: float,
    wait: float,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Run Lua SOURCE on the board and print what it prints, then what it returns. `=x` is `return x`; `-` reads it."""
    code = without_interpreter(_standard_input()) if source == "-" else os.fsencode(source)
    if code.startswith(b"="):
        code = b"return " + code[1:]
    run_for(url, run_source(url, code, profile, baud=baud, timeout=timeout, wait=wait, trace=trace, as_json=as_json))


def _standard_input() -> bytes:
    if sys.stdin is None:  # closed, as by `<&-`
        raise UsageError("There is no standard input to read the source from", remedy="Give the source, or a pipe.")
    # Lua source is bytes, and need not be text in anybody's encoding.
    raw = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read().encode() if raw is None else bytes(raw.read())


def without_interpreter(source: bytes) -> bytes:
    """Source without a first line that begins with `#` (`#!/usr/bin/env lua`); the others keep their numbers.

    As `luaL_loadfile` of Lua, which no board has for what comes by the line.
    """
    return b"\n" + source.partition(b"\n")[2] if source.startswith(b"#") else source


async def run_source(
    url: str,
    source: str | bytes,
    profile: Profile | None,
    *,
    baud: int,
    timeout: float,
    wait: float,
    trace: Path | None,
    as_json: bool,
    name: str = "lua",
    as_status: bool = False,
) -> int:
    """Run a chunk on the board; its prints go to standard output as they come (to standard error with JSON).

    Returns:
        0, or with `as_status` the exit code that the chunk returned, which is not printed then.
    """

    prints = Prints(lambda data: click.echo(data, nl=False, err=as_json))
    mhz = profile.cpu_mhz if profile is not None else 160
    # So little moves that a faster line gains nothing.
    async with open_board(url, baud=baud, speeds=(), mhz=mhz, trace=trace) as board:
        # Carries the error as a result: nobody fetches it when the call itself fails, and asyncio would complain.
        over: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

        def end(error: Exception) -> None:
            if not over.done():
                over.set_result(error)

        def stumble(error: Exception, where: str) -> None:
            if not isinstance(error, OSError):
                raise error
            end(error)  # who reads our output has gone, or its disk is full

        board.on("reset", end)
        board.on("down", end)
        board.on("console", prints.feed)
        board.on("error", stumble)
        board.on("fault", lambda text: click.echo(text, err=True))
        result = await board.exec(source, timeout=timeout, name=name)
        prints.end()
        results = result if isinstance(result, tuple) else () if result is None else (result,)
        if as_json:
            print_json(ExecOutput([plain(value) for value in results]), line=True)
        elif results and not as_status:
            click.echo("\t".join(shown(value) for value in results))
        if not over.done():
            # A board that goes away while a call waits fails the call; this is for what comes after it.
            await asyncio.wait([over], timeout=wait)
        prints.end()
        if over.done():
            raise over.result()
    return exit_status(results) if as_status else 0


class Prints:
    """What the board prints, with the ends of lines that this computer has.

    Args:
        write: shows bytes.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._cr = b""

    def feed(self, data: bytes) -> None:
        """The next piece; a CR at its end waits for what follows."""
        data = self._cr + data
        self._cr = b"\r" if data.endswith(b"\r") else b""
        self._write(data.removesuffix(self._cr).replace(b"\r\n", b"\n"))

    def end(self) -> None:
        """Nothing more comes, or something else is shown."""
        if self._cr:
            self._write(self._cr)
            self._cr = b""


def exit_status(results: tuple[Value, ...]) -> int:
    """The exit code that a chunk's first value means: a number itself, true or nothing 0, false 1.

    Raises:
        UsageError: it is no exit code.
    """
    value = results[0] if results else None
    if value is None or isinstance(value, bool):
        return int(value is False)
    if isinstance(value, int | float) and value in range(256):
        return int(value)
    raise UsageError(
        f"The chunk returned {shown(value)}, which is no exit code", remedy="With --status return 0 to 255, or true."
    )


def plain(value: Value) -> Any:
    """A Lua value as JSON has it; bytes that are no UTF-8 become Latin-1, numbers that JSON lacks (nan, inf) text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return shown(value) if isinstance(value, Remote | Opaque) else value


def shown(value: Value) -> str:
    """A Lua value as people read it."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Opaque):
        return value.text.decode("latin-1")
    if isinstance(value, dict | list):
        return json.dumps(plain(value))
    return str(plain(value)) if isinstance(value, bytes) else str(value)
