"""Runs a test file on a board, as the firmware's own driver does (tests/tap-driver.expect): at the prompt, without the
agent, which takes heap and the console."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from bridge.board import Board
from bridge.errors import AgentError, BridgeError, PortError
from bridge.files.names import check_name
from bridge.ntest.dialect import Dialect
from bridge.ntest.discreet import discreet
from bridge.ntest.job import Job
from bridge.ntest.reading import Reading
from bridge.ntest.results import Ending, FileRun
from bridge.ports.base import Port
from bridge.repl import Repl
from bridge.trace.secrets import discreet_text

_log = logging.getLogger("bridge.ntest")

#: Seconds to find the prompt after the tests: a board that hangs until its watchdog bites starts anew meanwhile.
_PROMPT = 20.0
#: Seconds for a line of the preparation, which compiles and loads files.
_LINE = 20.0
#: Seconds in which the firmware restarts after an error that nothing caught (2), and some more.
_RESTART = 4.0

#: Told what the board says, as it comes.
Told = Callable[[bytes], None]


async def run_file(board: Board, job: Job, *, told: Told | None = None) -> FileRun:
    """Bring a test file to a board, run it there at the prompt, and read what comes of it.

    The agent leaves meanwhile, so every handle fails; it is back at the next call. After tests that gave up or fell
    silent the board is restarted. Files that were not there before are removed; one of the same name is replaced.

    Args:
        board: ready.
        job: what is to run.
        told: gets what the board prints, as it comes, secrets too.

    Returns:
        What came of it, without secrets: also of a board that restarted, or that does not answer any more.

    Raises:
        UsageError: no file on a board can have that name.
        FileError, LinkError, PortError: the file did not get onto the board, or its port went away.
        AgentError: the test library cannot be loaded; the message has the board's words.
    """
    files = job.files()
    for name in files:
        check_name(name)
    there = await board.files.ls()
    for name, contents in files.items():
        await board.files.put(name, contents)
    try:
        async with board.prompt() as port:
            return await _at_prompt(port, job, told)
    finally:
        with contextlib.suppress(BridgeError):  # what is wrong then is in the result, or on its way to the caller
            new = set(files) - set(there)
            await board.files.rm(*(new & set(await board.files.ls())))


async def _at_prompt(port: Port, job: Job, told: Told | None) -> FileRun:
    loop = asyncio.get_running_loop()
    reading: Reading | None = None

    def heard(data: bytes) -> None:
        if told is not None:
            told(data)
        if reading is not None:
            reading.feed(data, loop.time())

    repl = Repl(port, on_text=heard)
    try:
        await repl.sync()
        for line in job.preparation():
            if said := (await repl.line(line, _LINE)).strip():
                text = discreet_text(said.decode("utf-8", "replace")).removeprefix("Lua error:").strip()
                await repl.line(job.tidying(), _LINE)
                raise AgentError(f"The test library does not load: {text}", port=port.url, remedy=_remedy(text))
        repl.forget()
        reading = Reading(
            job.name,
            loop.time(),
            dialect=Dialect(job.prefix, directives=not job.shim),
            first=job.first,
            next_line=job.next_line,
        )
        repl.write(job.start().encode("utf-8", "surrogateescape") + b"\n")
        await _until_over(repl, reading)
        while await _settle(repl, reading, job):
            await _until_over(repl, reading)
        return discreet(reading.result(loop.time()))
    finally:
        repl.release()


async def _until_over(repl: Repl, reading: Reading) -> None:
    loop = asyncio.get_running_loop()
    while reading.ending is None:
        await repl.more(max(reading.deadline - loop.time(), 0.001))
        reading.expire(loop.time())


async def _settle(repl: Repl, reading: Reading, job: Job) -> bool:
    """See that the board lives, and that nothing of the tests is left. True if the tests go on after all."""
    try:
        await repl.sync(_PROMPT)  # a question of its own, which no echo answers
        if reading.ending is Ending.COMPLETE and reading.uncaught is not None:
            await _restart_comes(repl, reading)
            await repl.sync(_PROMPT)
        if reading.ending is None:
            return True
        if reading.ending is Ending.COMPLETE:
            await repl.line(job.tidying(), _LINE)
        elif reading.ending is not Ending.RESTARTED:
            # What the tests left behind may do anything later: timers, sockets, half of them waiting for the other.
            repl.write(b"node.restart()\n")
            await repl.more(1.0)
            await repl.sync(_PROMPT)
    except PortError:
        raise
    except BridgeError as error:
        said = f"{reading.reason}; " if reading.reason else ""
        _log.info("%s: after %s: %s", repl.port.url, job.name, error)
        reading.end(Ending.NOT_ANSWERING, f"{said}the board does not answer at its prompt after the tests")
    return False


async def _restart_comes(repl: Repl, reading: Reading) -> None:
    """Wait for the restart that the firmware makes after an error that nothing caught."""
    deadline = asyncio.get_running_loop().time() + _RESTART
    while reading.ending is Ending.COMPLETE and await repl.more(deadline - asyncio.get_running_loop().time()):
        pass


def _remedy(text: str) -> str:
    if "memory" in text:
        return "The board has too little heap for it: put it in LFS, or use the one that comes with this."
    if "not found" in text:
        return "The board has none, in LFS or among its files: use the one that comes with this."
    return "Is it a test library with NTest's interface?"
