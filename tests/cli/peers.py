"""What may sit on a port instead of a NodeMCU, played on real pseudo-terminals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from tests.ports.test_serial import Master

Answer = Callable[[bytes], bytes]


def silence(data: bytes) -> bytes:
    """Nothing there, or another speed on a line that eats it."""
    return b""


def loopback(data: bytes) -> bytes:
    """RX and TX joined, or a terminal's echo."""
    return data


class Garbage:
    """A board at another speed."""

    def __init__(self) -> None:
        self._rng = Random(1)

    def __call__(self, data: bytes) -> bytes:
        return bytes(self._rng.choice(b"\x00\x80\xf8\xfe\xe6\x86\x9e\xff\x1c") for _ in data)


class MicroPython:
    """A MicroPython prompt, as far as lines go."""

    def __init__(self) -> None:
        self._line = b""

    def __call__(self, data: bytes) -> bytes:
        out = b""
        for byte in data:
            if byte == 0x0D:
                said = b"Traceback (most recent call last):\r\nSyntaxError: invalid syntax\r\n" if self._line else b""
                out += b"\r\n" + said + b">>> "
                self._line = b""
            elif byte == 0x7F:
                self._line = self._line[:-1]
            elif byte >= 32:
                self._line += bytes([byte])
                out += bytes([byte])
        return out


class AtFirmware:
    """Espressif's AT firmware, as far as it answers what it does not understand."""

    def __call__(self, data: bytes) -> bytes:
        return b"".join(bytes([byte]) + (b"\nERROR\r\n" if byte == 0x0D else b"") for byte in data)


class Talker:
    """A program that holds the console and prints its own lines."""

    def __call__(self, data: bytes) -> bytes:
        return b"temperature: 21.5\r\n" * (1 + len(data) // 400)


@asynccontextmanager
async def peer(answer: Answer, *, leave_after: int | None = None) -> AsyncIterator[Master]:
    """A peer on a pseudo-terminal that answers whatever comes; goes away after so many bytes."""
    master = Master()
    loop = asyncio.get_running_loop()
    heard = 0

    def ready() -> None:
        nonlocal heard
        try:
            data = os.read(master.fd, 4096)
            heard += len(data)
            out = answer(data)
            while out:
                out = out[os.write(master.fd, out) :]
        except BlockingIOError:
            return
        except OSError:
            loop.remove_reader(master.fd)
            return
        if leave_after is not None and heard >= leave_after:
            loop.remove_reader(master.fd)
            master.close()

    loop.add_reader(master.fd, ready)
    try:
        yield master
    finally:
        if master.fd >= 0:
            loop.remove_reader(master.fd)
            master.close()


async def command(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run `nodemcu-bridge` as a process; its exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.cli", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), 90)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")
