"""Uploads whose board loses its power at a chosen byte of what its flash is to hold; for the campaign of pulled plugs.

What the flash holds then is read by the virtual board's own file system, from a copy, and not by the bridge.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import zlib
from dataclasses import dataclass

from bridge.board import Board
from bridge.errors import BridgeError, PortLost
from bridge.files.names import scratch_tag
from bridge.mirror.modules.text import to_name
from bridge.opening import open_board
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.flash import FlashMemory, PowerCut
from bridge.virtual.chip.layout import PartitionType, find
from bridge.virtual.chip.rcr import partition_table
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from bridge.virtual.spiffs import mount
from tests.campaigns.kept_board import start

#: Names that are short, as long as can be, and no ASCII.
NAMES = ("init.lua", "x" * 31, "www/ü.txt")


@dataclass(frozen=True)
class Upload:
    """What is uploaded, over what.

    Args:
        name: of the file.
        old: what is there, or None.
        new: what is to be there.
    """

    name: str
    old: bytes | None
    new: bytes


def upload(seed: int) -> Upload:
    """An upload by a number."""
    rng = random.Random(seed)
    old = None if rng.random() < 0.2 else rng.randbytes(rng.choice((0, 10, 3000)))
    return Upload(rng.choice(NAMES), old, rng.randbytes(rng.choice((0, 1, 700, 5000))))


def contents(virtual: VirtualBoard) -> dict[bytes, bytes]:
    """All files in a board's flash."""
    copy = FlashMemory(virtual.flash.size)
    copy._cells[:] = virtual.flash.read(0, virtual.flash.size)
    partition = find(partition_table(copy) or (), PartitionType.SPIFFS0)
    assert partition is not None
    fs = mount(copy, partition.address, partition.size).fs
    return {name: fs.read_file(name) or b"" for name, _ in fs.files()}


class Plug:
    """A board's power: counts what its flash takes in, and goes when that has reached a number of bytes."""

    def __init__(self, virtual: VirtualBoard) -> None:
        self._virtual = virtual
        self._flash = virtual.flash
        self._program, self._erase = self._flash.program, self._flash.erase
        self._flash.program, self._flash.erase = self._programmed, self._erased  # type: ignore[method-assign]
        self.taken = 0
        self.out = False
        self._gone = asyncio.Event()

    def pull_after(self, size: int) -> None:
        """Pull it when so many more bytes are in the flash; the last piece may be there in part."""
        self._flash.cut_power_after(size)

    def put_in(self) -> None:
        """Give the board its power again."""
        self._flash.cut_power_after(None)
        self.out = False
        self._gone.clear()
        self._virtual.plug()

    async def gone(self) -> None:
        """Wait until it is out."""
        await self._gone.wait()

    def _programmed(self, offset: int, data: bytes) -> None:
        if not self.out:
            self.taken += len(data)
            with self._until_the_end():
                self._program(offset, data)

    def _erased(self, offset: int, n: int) -> None:
        if not self.out:
            self.taken += n
            with self._until_the_end():
                self._erase(offset, n)

    @contextlib.contextmanager
    def _until_the_end(self) -> object:  # type: ignore[misc]
        try:
            yield
        except PowerCut:
            self.out = True
            asyncio.get_running_loop().call_soon(self._pull)

    def _pull(self) -> None:
        self._virtual.unplug()
        self._gone.set()


class Life:
    """A board that is opened, loses its power, and is opened again."""

    def __init__(self, virtual: VirtualBoard) -> None:
        self.virtual = virtual
        self.plug = Plug(virtual)
        self._port: VirtualPort | None = None
        self._board: Board | None = None

    async def open(self) -> Board:
        """Open the board, as a program does that is run anew."""
        await self.close()
        await self.virtual.answered()
        self._port = VirtualPort(self.virtual)
        await self._port.set_baud(115_200)
        self._board = await open_board(self._port, start=start, speeds=())
        return self._board

    async def close(self) -> None:
        """Close what is open."""
        if self._board is not None:
            await self._board.close()
        if self._port is not None:
            await self._port.close()
        self._board = self._port = None


async def measure(wanted: Upload) -> tuple[int, int]:
    """Bytes that an upload's flash takes in until all data are there, and in all."""
    async with VirtualBoard(VirtualOptions(clock="virtual", flash_size=1 << 20)) as virtual:
        life = Life(virtual)
        board = await life.open()
        if wanted.old is not None:
            await board.files.put(wanted.name, wanted.old)
        began, whole = life.plug.taken, 0

        def told(done: int, total: int) -> None:
            nonlocal whole
            whole = life.plug.taken - began

        await board.files.put(wanted.name, wanted.new, told=told)
        taken = life.plug.taken - began
        await life.close()
        return whole, taken


async def live(wanted: Upload, after: int, again: int | None = None) -> str:
    """Pull the plug in an upload, and see that nothing is half.

    Args:
        wanted: the upload.
        after: bytes in the flash after which the plug is pulled.
        again: bytes after which it is pulled once more, while the next command works.

    Returns:
        What was in the flash when the power went: "old", "new" or "complete" under its temporary name.
    """
    async with VirtualBoard(VirtualOptions(clock="virtual", flash_size=1 << 20)) as virtual:
        life = Life(virtual)
        board = await life.open()
        if wanted.old is not None:
            await board.files.put(wanted.name, wanted.old)
        await board.files.put("other", b"not touched")
        life.plug.pull_after(after)
        try:
            await board.files.put(wanted.name, wanted.new)
        except BridgeError as error:
            assert isinstance(error, PortLost), error
            assert "Run the same again" in str(error)
        if not life.plug.out:
            await life.close()
            return "new"
        state = await _interrupted(life, wanted)
        if again is not None:
            board = await _plugged_in(life)
            life.plug.pull_after(again)
            with contextlib.suppress(BridgeError):
                await board.files.ls()
            if life.plug.out:
                after_it = await _interrupted(life, wanted)
                assert (state, after_it) not in {("complete", "old"), ("new", "old"), ("new", "complete")}
                state = after_it
            else:
                virtual.flash.cut_power_after(None)
        board = life._board if virtual.plugged and life._board else await _plugged_in(life)
        there = await board.files.ls()
        expected = {"old": wanted.old, "new": wanted.new, "complete": wanted.new}[state]
        assert there == dict(
            sorted({"other": 11, **({} if expected is None else {wanted.name: len(expected)})}.items())
        ), (state, there)
        if expected is not None:
            assert await board.files.get(wanted.name) == expected
        await board.files.put(wanted.name, wanted.new)
        await life.close()
        assert contents(virtual) == {b"other": b"not touched", to_name(wanted.name): wanted.new}
        return state


async def _plugged_in(life: Life) -> Board:
    await life.close()
    life.plug.put_in()
    return await life.open()


async def _interrupted(life: Life, wanted: Upload) -> str:
    """What is in the flash of a board that has lost its power."""
    await life.plug.gone()
    files = contents(life.virtual)
    assert files.pop(b"other") == b"not touched"
    name = to_name(wanted.name)
    scratch = f"nodemcu-bridge.{zlib.crc32(name):08x}".encode()
    found = files.pop(name, None)
    assert all((scratch_tag(each) or "").encode() == scratch for each in files), files
    if found == wanted.new and found != wanted.old:
        return "new"
    if found is None and files.get(scratch + b".done") is not None:
        assert files[scratch + b".done"] == wanted.new and files[scratch + b".name"] == name
        return "complete"
    assert found == wanted.old, "the old file is gone and the new one is not there"
    return "old"


def run(wanted: Upload, after: int, again: int | None = None) -> str:
    """See `live`, on a virtual clock of its own."""
    return clock.run(live(wanted, after, again))


def points(wanted: Upload, count: int, seed: int) -> list[int]:
    """Bytes after which to pull the plug: anywhere, after all data have come, and at the very end, in turns."""
    whole, taken = clock.run(measure(wanted))
    rng = random.Random(seed)
    first = (0, whole, taken - 40)
    return [rng.randrange(first[number % 3], taken) for number in range(count)]
