"""A shelf of virtual boards: each a process of its own, as boards share nothing, on RFC 2217 ports in a row."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable

from bridge.child_python import module_command, module_environment
from bridge.errors import PortBusy, UsageError
from bridge.virtual.options import VirtualOptions

#: A shelf holds no more.
MOST = 64
#: First bytes of the boards' MAC addresses: Espressif's prefix, and a byte of our own.
_PREFIX = "5c:cf:7f:5e"


def options_of(options: VirtualOptions, number: int) -> VirtualOptions:
    """The options of a board of a shelf: its own MAC address, seed and flash file.

    Args:
        options: of the shelf.
        number: of the board, from 1.
    """
    if options.address is not None or options.mac is not None:
        raise UsageError("Boards of a shelf have addresses of their own", remedy="Leave --address and --mac out.")
    return dataclasses.replace(
        options,
        mac=f"{_PREFIX}:{options.seed & 0xFF:02x}:{number:02x}",
        seed=options.seed + number,
        flash_file=None if options.flash_file is None else f"{options.flash_file}-{number}",
    )


async def serve_shelf(
    options: VirtualOptions, count: int, host: str, first_port: int, announce: Callable[[str], None]
) -> None:
    """Run a shelf until SIGINT, SIGTERM or SIGHUP.

    Args:
        options: of all boards; each has its own MAC address, seed and flash file (`-1`, `-2`, … at its name).
        count: of boards.
        host: address to listen on.
        first_port: TCP port of the first board, the others follow; 0 takes free ones.
        announce: gets `RFC2217 <url>` for each board, in their order, when all answer.

    Raises:
        UsageError: no such shelf can be.
        PortBusy: a board could not be served; says why.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"A shelf of {count} boards cannot be", remedy=f"Use 1 to {MOST}.")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    processes = [
        await _start(options_of(options, number), host, first_port and first_port + number - 1)
        for number in range(1, count + 1)
    ]
    try:
        stopped = asyncio.create_task(stop.wait())
        waiting = [asyncio.create_task(_announced(process)) for process in processes]
        for task in waiting:
            await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                break
            announce(task.result())
        await stopped
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


async def _start(options: VirtualOptions, host: str, tcp_port: int) -> asyncio.subprocess.Process:
    # By standard input: a network's password is an option, and command lines can be read by everybody.
    process = await asyncio.create_subprocess_exec(
        *module_command("bridge.virtual.shelf"), host, str(tcp_port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        env=module_environment(),
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(dataclasses.asdict(options)).encode())
    process.stdin.write_eof()
    return process


async def _announced(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode().strip()
    if not line.startswith("RFC2217 "):
        raise PortBusy(line or "A board of the shelf did not start", remedy="See what it said above.")
    return line


def main(arguments: list[str]) -> int:
    """One board of a shelf; its options come by standard input."""
    from bridge.errors import BridgeError
    from bridge.virtual.serve import Doors, serve

    options = VirtualOptions(**json.load(sys.stdin))
    doors = Doors(pty=False, rfc2217=(arguments[0], int(arguments[1])))
    parent = os.getppid()

    async def run() -> None:
        watching = asyncio.create_task(_end_with(parent))
        await serve(options, doors, lambda line: print(line, flush=True))  # noqa: T201
        watching.cancel()

    try:
        asyncio.run(run())
    except BridgeError as error:
        print(error, flush=True)  # noqa: T201  the shelf reads it
        return 1
    return 0


async def _end_with(parent: int) -> None:
    """End when the shelf's own process has gone without a word."""
    while os.getppid() == parent:  # noqa: ASYNC110  the system tells no other way
        await asyncio.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
