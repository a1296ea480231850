"""A tiny firmware around the real agent: `uart`, `tmr` and `node` without ring, costs or quirks, on a clock of its own.

What the agent does with a real firmware's limits is for the virtual board's tests; here it is the protocol.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

import lupa.lua51
import lupa.lua53

from bridge.agent_source import core
from bridge.wire.check import CheckKind, crc16
from bridge.wire.frame import Codec

LUA = {"5.1": lupa.lua51.LuaRuntime, "5.3": lupa.lua53.LuaRuntime}

#: `tmr.ALARM_AUTO`.
AUTO = 1


class FakeTimer:
    """`tmr.create()`; methods are called from Lua with `:`."""

    def __init__(self, board: FakeBoard, obj: Any) -> None:
        self.object = obj  # as Lua knows it
        self.board, self.ms, self.mode, self.function, self.run = board, 0, 0, None, 0


class FakeBoard:
    """Runs the agent's Lua. `feed` gives it bytes, `out` is what it wrote, `step` moves its clock."""

    def __init__(self, version: str = "5.1", *, ow: bool = True) -> None:
        self.lua = LUA[version](encoding=None, unpack_returned_tuples=True)
        self.now = 0.0
        self.out: list[tuple[float, bytes]] = []
        self.raw: Any = None
        self.errors: list[bytes] = []
        self._line = b""
        self._ring = b""
        self._tasks: list[Any] = []
        self._timers: list[tuple[float, int, int, FakeTimer]] = []
        self._count = itertools.count()
        self._free = 0.0
        self.byte_time = 10 / 115200
        g = self.lua.globals()
        table = self.lua.table_from
        g[b"uart"] = table({b"write": self._write, b"on": self._on})
        g[b"node"] = table(
            {
                b"heap": lambda: 40000,
                b"task": table({b"post": self._post}),
                b"egc": table({b"setmode": lambda *a: None, b"ALWAYS": 4}),
            }
        )
        if ow:
            g[b"ow"] = table({b"crc16": lambda data, seed=0: crc16(data, int(seed))})
        g[b"fake_timer"] = self._timer
        self.lua.execute(
            b"""tmr={ALARM_SINGLE=0,ALARM_SEMI=2,create=function() return fake_timer({}) end}
            loadstring=loadstring or load unpack=unpack or table.unpack"""
        )

    def load(self, codec: Codec, fragment: int = 100) -> Any:
        """Start the agent as the bootstrap does."""
        agent = self.lua.table()
        compile_ = self.lua.eval(b"function(s, n) return assert(loadstring(s, n)) end")
        for piece in core(codec, fragment):
            compile_(piece.text, b"=" + piece.name.encode())(agent)
        return agent

    def feed(self, data: bytes) -> None:
        """Bytes from the line. While a write holds the CPU they wait in the ring, which keeps the last 256."""
        self._ring = (self._ring + data)[-256:]
        self.run_tasks()

    @property
    def busy_until(self) -> float:
        """`uart.write` returns when all but 126 bytes have left."""
        return self._free - 126 * self.byte_time

    def deadline(self) -> float | None:
        times = [self._timers[0][0]] if self._timers else []
        if self._tasks or self._ring:
            times.append(self.now)
        return max(min(times), self.busy_until) if times else None

    def step(self, now: float) -> None:
        """Move the clock, firing timers that are due."""
        self.now = now
        while now >= self.busy_until - 1e-9 and self._timers and self._timers[0][0] <= now:
            _, _, run, timer = heapq.heappop(self._timers)
            if run == timer.run:
                if timer.mode == AUTO:
                    heapq.heappush(self._timers, (now + timer.ms / 1000, next(self._count), run, timer))
                else:
                    timer.run += 1
                self._protect(timer.function, timer.object)
        self.run_tasks()

    def run_tasks(self) -> None:
        """Input first, then tasks, one by one until a write holds the CPU."""
        while self.now >= self.busy_until - 1e-9 and (self._ring or self._tasks):
            while self._ring:
                byte, self._ring = self._ring[:1], self._ring[1:]
                self._line += byte
                if self.raw is not None and (byte == b"\0" or len(self._line) == 256):
                    line, self._line = self._line, b""
                    self._protect(self.raw, line)
            if self._tasks:
                self._protect(self._tasks.pop(0), 1)

    def _protect(self, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except lupa.lua51.LuaError as error:
            self.errors.append(str(error).encode())
        except lupa.lua53.LuaError as error:
            self.errors.append(str(error).encode())

    def _write(self, _: int, *parts: Any) -> None:
        data = b"".join(bytes((int(part),)) if isinstance(part, int | float) else part for part in parts)
        self._free = max(self._free, self.now) + len(data) * self.byte_time
        self.out.append((self._free, data))

    def _on(self, _: bytes, *arguments: Any) -> None:
        self.raw = arguments[1] if len(arguments) > 1 else None

    def _post(self, priority: int, function: Callable[[int], None]) -> None:
        if len(self._tasks) >= 8:
            raise RuntimeError("Task queue overflow. Task not posted")
        self._tasks.append(function)

    def _timer(self, methods: Any) -> Any:
        timer = FakeTimer(self, methods)

        def start(*_: Any) -> None:
            timer.run += 1
            heapq.heappush(self._timers, (self.now + timer.ms / 1000, next(self._count), timer.run, timer))

        def stop(*_: Any) -> None:
            timer.run += 1

        def register(_: Any, ms: float, mode: int, function: Any) -> None:
            timer.ms, timer.mode, timer.function = ms, mode, function

        def alarm(me: Any, ms: float, mode: int, function: Any) -> None:
            register(me, ms, mode, function)
            start()

        def interval(_: Any, ms: float) -> None:
            timer.ms = ms

        for name, function in {
            b"start": start, b"stop": stop, b"register": register, b"alarm": alarm, b"interval": interval,
            b"unregister": stop,
        }.items():  # fmt: skip
            methods[name] = function
        return methods


class BoardAndSession:
    """The host's real session and the real agent, joined by a line."""

    def __init__(
        self,
        version: str = "5.1",
        *,
        ow: bool = True,
        to_board: Callable[[bytes], bytes] = bytes,
        to_host: Callable[[bytes], bytes] = bytes,
        latency: float = 0.001,
        damage: float = 0.0005,
        fragment: int = 100,
    ) -> None:
        from bridge.wire.events import ConsoleText, Failed, MessageReceived
        from bridge.wire.session import Session

        codec = Codec(CheckKind.CRC if ow else CheckKind.SUM, 0xBEEF)
        self.now = 0.0
        self.board = FakeBoard(version, ow=ow)
        self.session = Session(codec, name="fake", damage=damage)
        self.agent = self.board.load(codec, fragment)
        self.got: list[Any] = []
        self.console = b""
        self.failed: list[Any] = []
        self.wire_bytes = [0, 0]
        self._kinds = (MessageReceived, ConsoleText, Failed)
        self._damage = (to_board, to_host)
        self._latency = latency
        self._wire: list[tuple[float, int, bool, bytes]] = []
        self._free = 0.0
        self._count = itertools.count()

    def _settle(self) -> None:
        self.board.run_tasks()
        for when, data in self.board.out:
            self.wire_bytes[1] += len(data)
            heapq.heappush(self._wire, (when + self._latency, next(self._count), False, self._damage[1](data)))
        self.board.out.clear()
        if data := self.session.data_to_send(self.now):
            self.wire_bytes[0] += len(data)
            start = max(self.now, self._free)
            for at in range(0, len(data), 16):
                piece = data[at : at + 16]
                start += len(piece) * self.board.byte_time
                arrives = start + self._latency
                heapq.heappush(self._wire, (arrives, next(self._count), True, self._damage[0](piece)))
            self._free = start
        received, text, failed = self._kinds
        while (event := self.session.next_event()) is not None:
            if isinstance(event, received):
                self.got.append(event.message)
            elif isinstance(event, text):
                self.console += event.data
            elif isinstance(event, failed):
                self.failed.append(event.error)

    def step(self, until: float) -> bool:
        self._settle()
        times = [self._wire[0][0]] if self._wire else []
        times += [d for d in (self.session.deadline(), self.board.deadline()) if d is not None]
        if not times or min(times) > until:
            self.now = until
            self.board.now = until
            return False
        self.now = max(self.now, min(times))
        self.board.now = self.now
        while self._wire and self._wire[0][0] <= self.now:
            _, _, to_board, data = heapq.heappop(self._wire)
            if to_board:
                self.board.feed(data)
            elif data:
                self.session.receive_data(data, self.now)
        self.board.step(self.now)
        due = self.session.deadline()
        if due is not None and due <= self.now:
            self.session.handle_timeout(self.now)
        return True

    def run_until(self, done: Callable[[], object], seconds: float = 10.0) -> bool:
        """Let time pass until `done()`; False if that is not within so many seconds."""
        until = self.now + seconds
        while not done():
            if self.failed or not self.step(until):
                return bool(done())
        return True

    def send(self, message: Any) -> None:
        self.session.send(message, self.now)
