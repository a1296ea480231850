"""Measures on a virtual board what was measured on the stock firmware, and sets the two side by side."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from bridge.virtual.board import VirtualBoard
from bridge.virtual.calibration.counters import build as build_counters
from bridge.virtual.options import VirtualOptions

#: Builds of the recordings: the recorder's 5.1 with doubles, 5.3 with 32-bit numbers, 5.1 with integers.
BUILDS = {"5.1 float": ("5.1", "float"), "5.3 float": ("5.3", "float"), "5.1 integer": ("5.1", "integer")}
_MODULES = "bit,crypto,encoder,file,net,node,pipe,sjson,struct,tmr,uart"
_PROMPT = b"> "
#: The peer in the recorded scenario.
_PEER = "10.77.0.1"
_ANSWER_S = 20.0

#: As in the recorded scenario: the cost of evaluating something into the global X.
_COST = (
    'collectgarbage() collectgarbage() local a,g=node.heap(),collectgarbage("count") {} '
    'collectgarbage() collectgarbage() print("COST",a-node.heap(),(collectgarbage("count")-g)*1024)'
)
_SOURCE = (
    "".join(
        f'local function f{n}(a,b) local x=a+b if x>10 then print("big",x) else x=x*2 end return x end\n'
        for n in range(11)
    )
    + "return f0,f1,f2,f3,f4,f5,f6,f7,f8,f9,f10\n"
)
_CHUNKS = (
    ("loaded", 'collectgarbage() collectgarbage() h=node.heap() X=loadfile("c.lua") {} print(h-node.heap())'),
    ("closures", "collectgarbage() h=node.heap() Y={{X()}} {} print(h-node.heap()) X=nil Y=nil"),
    ("without lines", 'node.stripdebug(3) {} h=node.heap() X=loadfile("c.lua") {} print(h-node.heap()) X=nil'),
    ("full debug", 'node.stripdebug(1) {} h=node.heap() X=loadfile("c.lua") {} print(h-node.heap()) X=nil'),
    (
        "peak",
        'node.stripdebug(2) {} h=node.heap() host.heapmin(true) X=loadfile("c.lua") print(h-host.heapmin()) X=nil',
    ),
    (
        "compiled, peak",
        'node.compile("c.lua") {} h=node.heap() host.heapmin(true) X=loadfile("c.lc") print(h-host.heapmin())',
    ),
    ("compiled", "{} print(h-node.heap()) X=nil"),
)
_GC = "collectgarbage() collectgarbage()"
_COUNTING = (
    "function crc(s) local c=0xFFFF for i=1,#s do c=bit.bxor(c,s:byte(i)) for j=1,8 do if bit.band(c,1)==1 then "
    "c=bit.bxor(bit.rshift(c,1),0xA001) else c=bit.rshift(c,1) end end end return c end",
    "local bxor,band,rshift=bit.bxor,bit.band,bit.rshift function crcl(s) local c=0xFFFF for i=1,#s do "
    "c=bxor(c,s:byte(i)) for j=1,8 do if band(c,1)==1 then c=bxor(rshift(c,1),0xA001) else c=rshift(c,1) end end end "
    "return c end",
    "T={} for i=0,255 do local c=i for j=1,8 do if bit.band(c,1)==1 then c=bit.bxor(bit.rshift(c,1),0xA001) "
    "else c=bit.rshift(c,1) end end T[i]=c end",
    "function crct(s) local c,t,x,a,r=0xFFFF,T,bit.bxor,bit.band,bit.rshift for i=1,#s do "
    "c=x(r(c,8),t[a(x(c,s:byte(i)),255)]) end return c end",
    "function sum(s) local c=0 for i=1,#s do c=(c+s:byte(i))%65536 end return c end",
    "function ad(s) local a,b=1,0 for i=1,#s do a=a+s:byte(i) b=b+a end return a%65521,b%65521 end",
    'S="" for i=1,250 do S=S..string.char((i*37)%256) end',
    "function I(n,f,...) local m,a=host.mallocs(),host.icount() local r=f(...) a=host.icount()-a "
    "print(a,host.mallocs()-m) end",
)


@dataclass(frozen=True)
class Row:
    """One figure of the stock firmware, and the virtual board's.

    `allowed` is how far the model may be off, in the row's unit: what the allocator's history adds to blocks, or the
    share that a model by size can promise.
    """

    build: str
    name: str
    unit: str
    recorded: int
    model: int
    allowed: int

    @property
    def error(self) -> int:
        """Model minus recorded."""
        return self.model - self.recorded

    @property
    def percent(self) -> float | None:
        """The error in percent of the recorded figure; None where that is 0."""
        return 100 * self.error / self.recorded if self.recorded else None

    @property
    def good(self) -> bool:
        """True if the error is within what is allowed."""
        return abs(self.error) <= self.allowed


def recorded() -> dict[str, Any]:
    """What was recorded, by build; an extract of the recordings that ships with the package."""
    data: dict[str, Any] = json.loads((files(__package__) / "recorded.json").read_text(encoding="utf-8"))
    return data


async def measure(build: str) -> list[Row]:
    """All rows of one build. Call it on the virtual clock (`bridge.virtual.clock.run`)."""
    lua, number = BUILDS[build]
    truth = recorded()[build]
    options = VirtualOptions(
        lua=lua, number=number, modules=_MODULES, network="memory", clock="virtual", heap=truth["heap"]
    )
    rows: list[Row] = []
    async with VirtualBoard(options) as board:
        bench = _Bench(board)
        await bench.settle()
        rows += await _base(build, bench, truth)
        rows += await _costs(build, bench, truth)
    async with VirtualBoard(options) as board:
        bench = _Bench(board)
        await bench.settle()
        rows += await _chunks(build, bench, truth)
        rows += await _lines(build, bench, truth)
        rows += await _counts(build, bench, truth)
    if "sockets" in truth:
        async with VirtualBoard(options) as board:
            bench = _Bench(board)
            await bench.settle()
            rows += await _sockets(build, bench, truth["sockets"])
    return rows


class _Bench:
    """A board whose console is typed at, and whose counters can be read."""

    def __init__(self, board: VirtualBoard) -> None:
        self.board = board
        self._said = bytearray()
        self._more = asyncio.Event()
        board.set_host_receiver(self._receive)

    def _receive(self, data: bytes) -> None:
        self._said += data
        self._more.set()

    async def settle(self) -> None:
        """Wait for the prompt, and put the counters in."""
        await self.board.answered()
        system = self.system
        system.lua.add_module(build_counters(system))
        system.start_collector()
        system.heap.exact = True
        # As much garbage as booting leaves, where the collector does not run before each allocation.
        await self.answer("do end")

    @property
    def system(self) -> Any:
        firmware: Any = self.board.chip.application
        return firmware.system

    async def listen(self, last: bytes) -> str:
        """What the board says until a line of its own."""
        async with asyncio.timeout(_ANSWER_S):
            while not self._said.endswith(last):
                self._more.clear()
                await self._more.wait()
        return self._said.decode("latin-1")

    async def answer(self, line: str) -> str:
        """What the board says to a line, without echo and prompt."""
        self._said.clear()
        self.board.host_write(line.encode("latin-1") + b"\n")
        echo = line.encode("latin-1") + b"\r\n"
        async with asyncio.timeout(_ANSWER_S):
            while not (self._said.startswith(echo) and self._said.endswith(_PROMPT)):
                self._more.clear()
                await self._more.wait()
        return self._said[len(echo) : -len(_PROMPT)].decode("latin-1").strip()


async def _base(build: str, bench: _Bench, truth: dict[str, Any]) -> list[Row]:
    said = await bench.answer('=node.heap(),collectgarbage("count")*1024')
    free, count = (int(float(text)) for text in said.split("\t"))
    # The integer build counts whole KB.
    return [
        Row(build, "free after boot", "bytes", truth["heap"], free, 100),
        Row(build, "Lua's own count", "bytes", truth["count"], count, truth["count"] * 25 // 100),
    ]


async def _costs(build: str, bench: _Bench, truth: dict[str, Any]) -> list[Row]:
    await bench.answer("X=0 T={} for i=1,200 do T[i]=0 end")
    rows = []
    for expression, cost in truth["costs"]:
        await bench.answer("X=nil")
        said = await bench.answer(_COST.format(expression))
        match = re.search(r"COST\t(-?\d+)", said)
        model = int(match[1]) if match else 0
        rows.append(Row(build, expression, "bytes", cost, model, _allowed_cost(expression, build)))
    return rows


def _allowed_cost(expression: str, build: str) -> int:
    """Blocks may be 16 bytes larger than asked for; on 5.3 garbage of the line itself comes on top."""
    blocks = 100 if "for i=" in expression else 4
    stack = 250 if "rep(1000)" in expression or "rep(4000)" in expression else 0  # the Lua stack grows in `rep`
    garbage = 800 if build.startswith("5.3") else 0
    return 16 * blocks + stack + garbage


async def _chunks(build: str, bench: _Bench, truth: dict[str, Any]) -> list[Row]:
    from bridge.virtual.modules.file import filesystem

    filesystem(bench.system).write_file(b"c.lua", _SOURCE.encode())
    await bench.answer("h=0 X=0 Y=0")
    rows = []
    for name, line in _CHUNKS:
        said = await bench.answer(line.format(_GC, _GC))
        wanted = truth["chunks"][name]
        rows.append(Row(build, f"1 KB of source: {name}", "bytes", wanted, int(said.split()[-1]), wanted * 15 // 100))
    return rows


async def _lines(build: str, bench: _Bench, truth: dict[str, Any]) -> list[Row]:
    """Peaks of a line at the prompt; on 5.3 they are mostly the garbage of lines before."""
    rows: list[Row] = []
    if build.startswith("5.3"):
        return rows
    for kind, size, peak in truth["lines"]:
        await bench.answer(f"{_GC} B=node.heap() host.heapmin(true)")
        await bench.answer("--" + "x" * (size - 2) if kind == "comment" else 'x="' + "y" * (size - 4) + '"')
        said = await bench.answer("print(B-host.heapmin())")
        rows.append(Row(build, f"line of {size}: {kind}, peak", "bytes", peak, int(said), 350))
    return rows


async def _counts(build: str, bench: _Bench, truth: dict[str, Any]) -> list[Row]:
    if not truth["counts"]:
        return []
    for line in _COUNTING:
        await bench.answer(line)
    rows = []
    for line, instructions, blocks in truth["counts"]:
        said = await bench.answer(line)
        measured, allocated = (int(float(text)) for text in said.split("\t"))
        match = re.search(r'I\("([^"]+)"', line)
        name = match[1] if match else line
        rows.append(Row(build, name, "instructions", instructions, measured, _allowed_count(line, instructions)))
        if build.startswith("5.1"):
            # What running a line allocates here only is taken off whatever it allocates first.
            rows.append(Row(build, name, "allocations", blocks, allocated, max(25, blocks // 4)))
    return rows


async def _sockets(build: str, bench: _Bench, truth: dict[str, Any]) -> list[Row]:
    """What net's objects and the stack take, at once and 400 ms later."""

    async def sink(stream: Any) -> None:
        while await stream.read(4096):
            pass

    network: Any = bench.board.network
    network.serve(_PEER, 7001, sink)
    for line in truth["lines"]:
        await bench.answer(line)
    said = await bench.listen(b"DONE\r\n")
    measured = re.findall(r"R\t\d+\t([^\t]+)\t(-?\d+)\t(-?\d+)", said)
    rows = []
    for (name, *wanted), (_, *models) in zip(truth["rows"], measured, strict=True):
        for when, cost, model in zip(("at once", "then"), wanted, models, strict=True):
            # Registry slots grow by eights; at once there are segments and ARP entries about, as well.
            allowed = max(160 if when == "at once" else 56, cost * 5 // 100)
            rows.append(Row(build, f"{name}, {when}", "bytes", cost, int(model), allowed))
    return rows


def _allowed_count(line: str, instructions: int) -> int:
    """The looks of the count hook show as 1 %; on 5.1 each string that is built is checked by instructions, too."""
    built = 300 if '.."c"' in line or "gsub" in line else 60
    return max(built, instructions * 10 // 100)


def worst(rows: list[Row]) -> Iterator[Row]:
    """The rows that are off by more than is allowed."""
    return (row for row in rows if not row.good)
