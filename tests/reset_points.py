"""One life of a board that is restarted at a chosen moment, and what must hold then; for the reset campaigns.

The board is opened, moves data both ways at once and is closed, on the virtual clock and the in-memory network. Without
a restart a run is the same each time, so a moment, in seconds from the start of opening, names what the two sides were
at. Everything that is sent is marked with the life it was sent in, so that nothing of one can pass for another's.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import random
import weakref
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge import agent
from bridge.board import Board
from bridge.errors import BridgeError, HandleError, LinkError, PortLost
from bridge.lifecycle import State
from bridge.link import Link
from bridge.mirror.tcp import TCPSocket
from bridge.opening import open_board
from bridge.ports.base import CONSOLE_BAUD, LossHandler, Port, Receiver
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.virtual.board import VirtualBoard
from bridge.virtual.chip.chip import Mode
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort

HOST = "10.77.0.1"
#: Bytes of one marked piece, and pieces that a connection carries each way.
PIECE, DOWN, UP = 256, 32, 16
#: Ways to restart a board: with a finger, from inside, from Lua, by its plug.
KINDS = ("reset", "watchdog", "brown out", "restart", "panic", "unplug")
#: The order in which they take turns: every second one is the button.
TURNS = tuple(kind for other in KINDS[1:] for kind in ("reset", other))
#: What the board says of each when it is back. Another port is another board object, which saw nothing.
CAUSES = {
    "reset": "external reset",
    "watchdog": "hardware watchdog",
    "brown out": "power on",
    "restart": "software restart",
    "panic": "software restart",
    "unplug": None,
}
_RAISE = "function()error('armed')end"
#: Phases of a life in their order.
PHASES = ("sync", "loader", "pieces", "launch", "greeting", "try", "proof", "keep", "transfer", "stop")


def marked(life: int, way: bytes, number: int) -> bytes:
    """A piece of data that says in which life it was sent, which way, and where in its stream it stands."""
    head = b"%d %s %d;" % (life, way, number)
    return head + random.Random(f"{life} {way!r} {number}").randbytes(PIECE - len(head))


class WatchedBoard(VirtualBoard):
    """A virtual board that notes when it boots again, and when the first prompt of such a boot comes."""

    def __init__(self, options: VirtualOptions) -> None:
        super().__init__(options)
        self.boots: list[float] = []
        self.prompts: list[float] = []
        self._booting = False
        self._news = asyncio.Event()

    async def start(self) -> None:
        await super().start()
        self.chip.on_mode = self._changed

    def _changed(self, mode: Mode) -> None:
        if mode is Mode.ROM:
            self.boots.append(asyncio.get_running_loop().time())
            self._booting = True

    def _transmit(self, data: bytes, t: float, baud: int) -> None:
        super()._transmit(data, t, baud)
        if self._booting and data.endswith(b"> "):
            self._booting = False
            self.prompts.append(t + 10 * len(data) / baud)
            self._news.set()

    async def prompts_of(self, boots: int) -> None:
        """Wait until so many boots have come to their prompt."""
        while len(self.prompts) < boots:
            self._news.clear()
            await self._news.wait()

    def prompt_after(self, moment: float) -> float | None:
        """When the first prompt of a boot that began at a moment was there, in seconds on the loop's clock."""
        return next((prompt for prompt in self.prompts if prompt > moment), None)


class WatchedPort:
    """A port whose writes and changes of speed are noted with their times."""

    def __init__(self, port: VirtualPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self.writes: list[tuple[float, bytes]] = []
        self.speeds: list[tuple[float, int]] = []
        self.url = port.url

    @property
    def baud(self) -> int:
        return self._port.baud

    def set_receiver(self, receiver: Receiver | None, lost: LossHandler | None = None) -> None:
        self._port.set_receiver(receiver, lost)

    def write(self, data: bytes) -> None:
        self.writes.append((self._loop.time(), data))
        self._port.write(data)

    async def drain(self) -> None:
        await self._port.drain()

    async def set_baud(self, baud: int) -> None:
        await self._port.set_baud(baud)
        self.speeds.append((self._loop.time(), baud))

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        await self._port.set_lines(dtr=dtr, rts=rts)

    async def close(self) -> None:
        await self._port.close()

    def phases(self, began: float, ready: float, closing: float, closed: float) -> dict[str, tuple[float, float]]:
        """When each phase began and ended, in seconds from `began`."""

        def written(words: bytes, *, last: bool = False) -> float:
            return [at for at, data in self.writes if words in data][-1 if last else 0]

        launch = written(b"_nb.R(", last=True)
        keep = next(at for at, data in self.writes if at > self.speeds[2][0] and b"unregister" in data)
        starts = [
            began, written(b"_nb={}"), written(b"local s,i=", last=True), launch,
            next(at for at, data in self.writes if at > launch and b"_nb" not in data),
            written(b"getconfig"), self.speeds[2][0], keep, ready, closing, closed,
        ]  # fmt: skip
        return {
            name: (start - began, end - began) for name, start, end in zip(PHASES, starts[:-1], starts[1:], strict=True)
        }


@dataclass
class Outcome:
    """What came of one restart; times in seconds."""

    kind: str
    moment: float
    struck: float = 0.0
    """When the chip began to boot anew, on the loop's clock."""
    opening: str | None = None
    """With what opening ended, if it did not start over."""
    failures: list[tuple[float, str]] = field(default_factory=list)
    """What waiting calls ended with, and how long after the first prompt."""
    noticed: list[str | None] = field(default_factory=list)
    """What the board said of its restarts when it was told of them."""
    cause: str | None = None
    """What it said when it was back."""
    usable: float | None = None
    """From the restarted board's first prompt until a new call was answered; None if the restart came at the end."""
    closing: float = 0.0
    """How long `close` took."""
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a part of a life ended, and when."""

    kind: type[BaseException]
    text: str
    at: float


class Life:
    """What a program does with a board from its opening or a restart on; it ends well or with typed errors.

    Args:
        board: the open board.
        number: of this life, in everything it sends.
        server: the far end of its sockets.
    """

    def __init__(self, board: Board, number: int, server: Server) -> None:
        self._board, self.number, self._server = board, number, server
        self.socket: TCPSocket | None = None
        self.down = bytearray()
        self.ticks: list[int] = []
        self.over = False
        self.after: list[str] = []
        """Names of events that came when this life was over."""
        self._all_there = asyncio.Event()

    async def live(self) -> list[Ending]:
        """Do all of it at once; returns how those parts ended that did not end well."""
        endings: list[Ending] = []
        try:
            await self._board.exec("life = ...", self.number)
        except BridgeError as error:
            return [Ending(type(error), str(error), asyncio.get_running_loop().time())]

        async def ended(part: Awaitable[None]) -> None:
            # Exceptions are not kept: they would keep what they were raised in.
            try:
                await part
            except (BridgeError, AssertionError) as error:
                endings.append(Ending(type(error), str(error), asyncio.get_running_loop().time()))

        await asyncio.gather(*map(ended, (self._call(), self._compute(), self._network(), self._tick())))
        return endings

    async def _call(self) -> None:
        for number in range(8):
            piece = marked(self.number, b"call", number) * 4
            assert await self._board.eval("..., life", piece) == (piece, self.number)

    async def _compute(self) -> None:
        for number in range(6):
            word = b"%d-%d," % (self.number, number)
            assert await self._board.lua.string.rep(word, 500) == word * 500

    async def _tick(self) -> None:
        timer = await self._board.lua.tmr.create()
        await timer.alarm(60, 1, self._ticked)
        await asyncio.sleep(0.3)
        await timer.unregister()
        assert self.ticks

    def _ticked(self, timer: object) -> None:
        self.ticks.append(len(self.ticks))
        if self.over:
            self.after.append("tick")

    async def _network(self) -> None:
        self.socket = await self._board.net.createConnection()
        connected = asyncio.Event()
        taken = self._server.event(self.number)
        for event in (connected, self._all_there, taken):
            self.socket.when_gone(lambda reason, event=event: event.set())
        self.socket.on("connection", lambda socket: connected.set())
        self.socket.on("receive", self._receive)
        await self.socket.connect(80, HOST)
        await connected.wait()
        await self.socket.send(b"%d;" % self.number)
        for number in range(UP):
            await self.socket.send(marked(self.number, b"up", number))
        await self._all_there.wait()
        self.socket.check()
        assert bytes(self.down) == b"".join(marked(self.number, b"down", number) for number in range(DOWN))
        await taken.wait()
        await self.socket.close()

    def _receive(self, socket: TCPSocket, data: bytes) -> None:
        if self.over:
            self.after.append("receive")
        self.down += data
        if len(self.down) >= DOWN * PIECE:
            self._all_there.set()


class Server:
    """The far end: sends a life what is marked for it, and holds what it gets against that life's marks."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._had: dict[int, asyncio.Event] = {}

    async def serve(self, stream: MemoryStream) -> None:
        try:
            life = int((await stream.read_until(b";"))[:-1])
            for number in range(DOWN):
                stream.write(marked(life, b"down", number))
            for number in range(UP):
                if await stream.read_exactly(PIECE) != marked(life, b"up", number):
                    self.wrong.append(f"piece {number} of life {life}")
            self.event(life).set()
            await stream.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the board was restarted

    def event(self, life: int) -> asyncio.Event:
        """Set when a life's data has all come."""
        return self._had.setdefault(life, asyncio.Event())


class Trial:
    """A board that is opened, lived with, restarted at a moment, lived with again, and closed.

    Args:
        kind: one of `KINDS`.
        moment: seconds from the start of opening until the restart; None for none.
        options: of the virtual board.
    """

    def __init__(self, kind: str, moment: float | None, options: dict[str, Any]) -> None:
        self._kind, self._moment = kind, moment
        self._virtual = WatchedBoard(VirtualOptions(clock="virtual", **options))
        self._server = Server()
        self._epochs = iter(range(1, 100))
        self._loop = asyncio.get_running_loop()
        self._port: WatchedPort
        self._lives: list[Life] = []
        self._boots = 0
        self._striking: asyncio.Task[None] | None = None

    async def run(self) -> Outcome:
        """All of it; raises AssertionError for what must not be."""
        crashes: list[object] = []
        self._loop.set_exception_handler(lambda loop, context: crashes.append(context))
        outcome = Outcome(self._kind, self._moment or 0.0)
        async with self._virtual:
            await self._virtual.answered()
            assert isinstance(self._virtual.network, MemoryNetwork)
            self._virtual.network.serve(HOST, 80, self._server.serve)
            self._port = WatchedPort(VirtualPort(self._virtual))
            began = await self._arm()
            board = await self._open(outcome)
            ready = self._loop.time()
            table = weakref.ref(board._table) if board._table else None
            if not self._struck:
                await self._first_life(board, outcome)
            if self._struck:
                board = await self._second_life(board, outcome)
            closing = self._loop.time()
            await board.close()
            outcome.closing = self._loop.time() - closing
            if self._moment is None:
                outcome.phases = self._port.phases(began, ready, closing, self._loop.time())
            await self._settled(outcome)
            await self._prompt_is_back()
            assert board.state is State.CLOSED and board._link is None and not board._handlers.tasks
            assert len(board._table or ()) == 0
            assert self._server.wrong == []
            self._lives.clear()
            del board
            gc.collect()
            assert table is None or table() is None, "something keeps what is over"
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert others == [] and crashes == [], (others, crashes)
        return outcome

    @property
    def _struck(self) -> bool:
        return len(self._virtual.boots) > self._boots or not self._virtual.plugged

    async def _arm(self) -> float:
        """See to it that the board restarts at the moment; returns the time that moments count from."""
        moment, self._boots = self._moment, len(self._virtual.boots)
        if moment is not None and self._kind in ("restart", "panic"):
            # An error that nothing catches is printed, and two seconds later the board restarts (app/lua/lauxlib.c).
            what, before = ("node.restart", moment) if self._kind == "restart" else (_RAISE, moment - 2.035)
            repl = Repl(self._port)
            await repl.sync()
            await repl.line(f"tmr.create():alarm({max(1, round(before * 1000))},0,{what})")
            repl.release()
            await asyncio.sleep(max(0.0, -before))
        elif moment is not None:
            self._striking = self._loop.create_task(self._strike(moment))
        return self._loop.time()

    async def _strike(self, moment: float) -> None:
        await asyncio.sleep(moment)
        match self._kind:
            case "reset":
                self._virtual.reset()
            case "watchdog":
                self._virtual.starve_watchdog()
            case "brown out":
                self._virtual.brown_out()
            case "unplug":
                self._virtual.unplug()
                await asyncio.sleep(0.2)
                self._virtual.plug()

    async def _start(self, port: Port) -> Link:
        return await agent.start(port, rng=random.Random(next(self._epochs)))

    async def _open(self, outcome: Outcome) -> Board:
        """Open the board; if a restart kept that from working, it works the second time."""
        try:
            board = await open_board(self._port, start=self._start)
        except BridgeError as error:
            assert self._struck and isinstance(error, PortLost if self._kind == "unplug" else LinkError), error
            outcome.opening = str(error)
            if self._kind == "unplug":
                await self._plug_in()
            board = await open_board(self._port, start=self._start)
        board.on("reset", lambda error: outcome.noticed.append(error.cause))
        return board

    async def _plug_in(self) -> None:
        """Wait until the plug is in again, and take the port that there is then."""
        assert self._striking is not None
        await self._striking
        await self._port.close()
        self._port = WatchedPort(VirtualPort(self._virtual))
        await self._port.set_baud(CONSOLE_BAUD)

    async def _live(self, board: Board, number: int) -> list[Ending]:
        self._lives.append(Life(board, number, self._server))
        return await self._lives[-1].live()

    async def _first_life(self, board: Board, outcome: Outcome) -> None:
        for ending in await self._live(board, 1):
            assert self._struck and issubclass(ending.kind, PortLost if self._kind == "unplug" else LinkError), ending
            outcome.failures.append((ending.at, ending.kind.__name__))

    async def _second_life(self, board: Board, outcome: Outcome) -> Board:
        """The board was restarted: it can be used again, and nothing of the life before comes up."""
        if self._kind == "unplug" and board.state is State.LOST:
            await board.close()
            await self._plug_in()
            board = await open_board(self._port, start=self._start)
        await _until_new(board)
        outcome.struck = self._virtual.boots[self._boots]
        prompt = self._virtual.prompt_after(outcome.struck)
        assert prompt is not None and board.state is State.READY
        outcome.usable = self._loop.time() - prompt
        outcome.failures = [(at - prompt, name) for at, name in outcome.failures]
        outcome.cause = board.last_reset.cause if board.last_reset else None
        await self._first_life_is_over(board)
        assert await self._live(board, 2) == []
        assert [life.after for life in self._lives] == [[]] * len(self._lives)
        return board

    async def _first_life_is_over(self, board: Board) -> None:
        for life in self._lives:
            life.over = True
            if life.socket is None:
                continue
            for use in (life.socket.send(b"x"), board.eval("...", life.socket)):
                with pytest.raises((LinkError, HandleError, PortLost)):
                    await use

    async def _settled(self, outcome: Outcome) -> None:
        """Wait for a restart that came while the board was being closed, and for its prompt."""
        if self._striking is not None:
            await self._striking
        if self._moment is None or outcome.usable is not None:
            return
        await self._virtual.prompts_of(self._boots + 1)
        outcome.struck = self._virtual.boots[self._boots]
        if self._kind == "unplug":
            await self._plug_in()

    async def _prompt_is_back(self) -> None:
        assert self._port.baud == CONSOLE_BAUD
        repl = Repl(self._port)
        await repl.sync(3.0)
        assert await repl.line("=6*7") == b"42"
        assert await repl.line("=_nb") == b"nil"
        repl.release()
        await self._port.close()


async def _until_new(board: Board) -> None:
    """Call until the board answers that it knows nothing of a life before."""
    while True:
        with contextlib.suppress(LinkError):
            if await board.eval("life, ...", b"nonce") == (None, b"nonce"):
                return
            await asyncio.sleep(0.005)


def run(kind: str = "reset", moment: float | None = None, **options: Any) -> Outcome:
    """Live through one restart, or none, on a fresh virtual clock; see `Trial`."""

    async def main() -> Outcome:
        return await Trial(kind, moment, options).run()

    return clock.run(main(), limit=120.0)


@functools.cache
def phases(lua: str = "5.1") -> dict[str, tuple[float, float]]:
    """When each phase of a life without a restart begins and ends, in seconds from the start of opening."""
    return run(lua=lua).phases


def points(phase: str, count: int, seed: int, lua: str = "5.1") -> list[tuple[str, float]]:
    """Ways to restart and moments for it, spread evenly over a phase, each moment a little beside its place."""
    rng = random.Random(f"{seed} {phase}")
    start, end = phases(lua)[phase]
    step = (end - start) / count
    first = rng.randrange(len(TURNS))
    return [(TURNS[(first + number) % len(TURNS)], start + step * (number + rng.random())) for number in range(count)]


def judge(outcome: Outcome) -> None:
    """Hold what came of a restart against what was promised."""
    assert outcome.usable is None or outcome.usable <= 3.0, outcome
    assert all(after <= 3.0 for after, _ in outcome.failures), outcome
    assert outcome.closing <= 4.0, outcome
    assert outcome.cause in (None, CAUSES[outcome.kind]), outcome
    assert outcome.cause is not None or not outcome.noticed, outcome
