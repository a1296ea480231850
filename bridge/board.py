"""A board: a port, the agent on it, and everything the board has as Python objects.

async with bridge.open_board("/dev/ttyUSB0") as board:
    socket = await board.net.createConnection()
    socket.on("receive", lambda socket, data: print(data))
    await socket.connect(80, "example.com")
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from bridge import agent, repl, trace
from bridge.errors import BoardReset, BootLoop, BridgeError, LinkError, LinkTimeout, PortLost, ReplError
from bridge.files import Files
from bridge.handlers import Handlers
from bridge.lifecycle import State, Trigger, move, why_not_ready
from bridge.link import CALL_TIMEOUT, AgentFacts, Link
from bridge.link.sources import CHUNK_NAME
from bridge.link.speed import LADDER
from bridge.mirror.lua import LuaName, LuaObject, single
from bridge.mirror.modules.adc import Adc
from bridge.mirror.modules.file import File
from bridge.mirror.modules.gpio import Gpio
from bridge.mirror.modules.node import Node
from bridge.mirror.modules.tmr import Tmr
from bridge.mirror.modules.uart import Uart
from bridge.mirror.modules.wifi import Wifi
from bridge.mirror.net import Net
from bridge.mirror.table import HandleTable
from bridge.mirror.tls import TLS
from bridge.ports.base import Port
from bridge.speeds import SpeedMemory, climb
from bridge.streams import Streams
from bridge.trace.secrets import discreet_text
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec
from bridge.wire.values import Value

log = logging.getLogger("bridge.board")

#: How often the agent is put on a board that restarts again and again, before giving up.
RESTART_TRIES = 3
#: Seconds for a board to restart when asked to, with what it does at boot.
RESET_TIMEOUT = 20.0

Starter = Callable[[Port], Awaitable[Link]]


class Board(Streams):
    """A board with the agent on it; made by `open_board`.

    Attributes:
        net: the module `net`, typed (`bridge.mirror.net`).
        tls: the module `tls`, typed (`bridge.mirror.tls`).
        lua: every function of every module (`bridge.mirror.lua`).
        adc, file, gpio, node, tmr, uart, wifi: these modules, typed; files: whole files (`bridge.files`).
        chunk_name: of the chunks that `exec` and `eval` run, where nobody names them.

    Args:
        port: open; closed with the board if it `owns_port`.
        owns_port: see there.
        start: puts the agent on the board.
        speeds: of the line, in baud, the one to try first comes first; none leaves it at the console's.
        memory: knows which of them this board has borne on this adapter, if the adapter can be told.
    """

    def __init__(
        self,
        port: Port,
        *,
        owns_port: bool = False,
        start: Starter = agent.start,
        speeds: Iterable[int] = LADDER,
        memory: SpeedMemory | None = None,
    ) -> None:
        self._port, self._console_baud = port, port.baud
        self._speeds = tuple(speeds)
        self._memory, self._owns_port, self._start = memory, owns_port, start
        self._link: Link | None = None
        self._table: HandleTable | None = None
        self._reason: BridgeError | None = None
        self._last_reset: BoardReset | None = None
        self._state, self._explained = State.NEW, False
        self._handlers = Handlers(self.url)
        self.chunk_name = CHUNK_NAME
        self._restart: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.tls = TLS(self._current)
        self.net = Net(self._current, self.tls)
        self.lua = LuaName(self._current)
        self.adc = Adc(self._current)
        self.file = File(self._current, self._at_prompt)
        self.files = Files(self._current, self.file, lambda: self.facts.modules)
        self.gpio = Gpio(self._current)
        self.node = Node(self._current, self.reset)
        self.tmr = Tmr(self._current)
        self.uart = Uart(self._current)
        self.wifi = Wifi(self._current)

    def __repr__(self) -> str:
        return f"<Board {self.url} {self._state.name.lower()}>"

    @property
    def url(self) -> str:
        """The URL or path of its port."""
        return self._port.url

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._state

    @property
    def facts(self) -> AgentFacts:
        """What is known of the firmware of the present boot.

        Raises:
            BridgeError: the board is not ready.
        """
        if self._link is None:
            raise why_not_ready(self._state, self._reason, self.url)
        return self._link.facts

    @property
    def last_reset(self) -> BoardReset | None:
        """The last restart of the board since it was opened, or None.

        When the board is back its `cause` is what the board says of it: "power on", "external reset", "hardware
        watchdog", "software watchdog", "exception", "software restart" or "wake from deep sleep" (`node.bootreason`),
        or the text of the PANIC that went before. Until then it is what was heard on the line, or None.
        """
        return self._last_reset

    @property
    def dropped_calls(self) -> int:
        """Calls of Python functions by Lua that were dropped in this boot: more came than the line carries, or than the
        function keeps up with. What was dropped on the board is known when the function's next call arrives."""
        table, link = self._table, self._link
        here = 0 if table is None else table.dropped_calls
        return here + (0 if link is None else link.callbacks.dropped)

    def on(self, event: str, handler: Callable[..., Any] | None) -> None:
        """Set who is told of something; replaces the handler before. May be a coroutine function.

        Args:
            event: a key of `bridge.handlers.EVENTS`, which says what the handler gets.
            handler: a function, or None to be told no more. Without an "error" handler, exceptions in your handlers
                are logged (logger "bridge.board").

        Raises:
            UsageError: no such event.
        """
        self._handlers.set(event, handler)

    def watch(self, watcher: Callable[..., None]) -> None:
        """Tell a function of all events of `bridge.handlers.EVENTS`, by name and with what their handlers get."""
        self._handlers.watchers.append(watcher)

    async def eval(self, expression: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> Value:
        """The value of a Lua expression.

        Args:
            expression: e.g. "node.heap()", or "... + 1" with a value; values never become source.
            values: what `...` is.
            timeout: seconds.

        Returns:
            One value as itself, none as None, several as a tuple.

        Raises:
            LuaError: it does not compile, or raised; BoardOutOfMemory, LinkTimeout, BoardReset, PortLost.
        """
        return await self.exec(f"return {expression}", *values, timeout=timeout)

    async def exec(
        self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT, name: str | None = None
    ) -> Value:
        """Run a Lua chunk on the board; what it prints is console text.

        Args:
            source: the chunk, of any length that the board's heap holds when it is compiled. More than 4 000 bytes are
                kept in a file there meanwhile (`nodemcu-bridge.tmp`), if the firmware has the module `file`.
            values: what `...` is in it.
            timeout: seconds that it may run; what brings a long source to the board does not count.
            name: of the chunk, as it stands before the line number in error texts; `chunk_name` by default.

        Returns:
            What it returned, as `eval` does.

        Raises:
            LuaError: it does not compile, or raised; BoardOutOfMemory, LinkTimeout, BoardReset, PortLost.
        """
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        try:
            async with asyncio.timeout_at(deadline):
                table = await self._current()
        except TimeoutError as error:
            raise LinkTimeout(f"The board did not come back within {timeout:g} s", port=self.url) from error
        left = None if deadline is None else max(round(deadline - loop.time(), 3), 0.001)
        return single(await table.run_lua(source, *values, timeout=left, name=name or self.chunk_name))

    async def reset(self, *, seconds: float = RESET_TIMEOUT) -> None:
        """Restart the board (`node.restart`) and put the agent on it again; every handle fails with `BoardReset`.

        Raises:
            LinkTimeout: it did not restart, or did not come back, within these `seconds`.
        """
        table = await self._current()
        table.caller.post("node.restart")
        try:
            async with asyncio.timeout(seconds):
                while self._table is table and self._state is State.READY:
                    await self.state_changed()
                await self._current()
        except TimeoutError as error:
            raise LinkTimeout(f"The board did not restart within {seconds:g} s", port=self.url) from error

    async def close(self) -> None:
        """Give the prompt back, and the port if this opened it. Every handle fails. Doing it again does nothing."""
        if self._state in (State.CLOSING, State.CLOSED):
            while self._state is not State.CLOSED:
                await self.state_changed()
            return
        self._move(Trigger.CLOSE)
        # Also for who gives up waiting for one of them: all of these, the last one first.
        async with contextlib.AsyncExitStack() as closing:
            closing.callback(self._move, Trigger.GONE)
            if self._owns_port:
                closing.push_async_callback(self._port.close)
            if self._link is not None:
                closing.push_async_callback(self._leave, self._link)
            if self._table is not None:
                closing.push_async_callback(self._table.close, PortLost(f"{self.url} has been closed", port=self.url))
            self._link = None
            for task in (self._restart, *self._handlers.tasks):
                if task is not None and task is not asyncio.current_task():
                    task.cancel()
                    await asyncio.wait([task])

    async def _leave(self, link: Link) -> None:
        try:
            await link.close()
        except BridgeError as error:
            # The board did not answer to the end; it has got its prompt back at its next reset.
            log.debug("closing %s: %s", self.url, error)

    @contextlib.asynccontextmanager
    async def prompt(self) -> AsyncIterator[Port]:
        """The port, at its prompt; the agent is away until the block is left. Every handle fails, as after a reset."""
        table, link = await self._current(), self._link
        assert link is not None
        self._link, self._reason = None, LinkError("The agent left the board for its prompt", port=self.url)
        self._move(Trigger.DOWN)
        try:
            await table.close(self._reason)
            await link.close()
            yield self._port
        finally:
            if self._state is State.RESTARTING:
                self._restart = asyncio.get_running_loop().create_task(self._come_back())

    async def _at_prompt(self, line: str, seconds: float) -> bytes:
        """What a line prints at the prompt, for one that takes longer than a link waits."""
        async with self.prompt() as port:
            return await repl.run_line(port, line, seconds)

    async def open(self) -> None:
        """Find the prompt and put the agent on the board; `open_board` does this.

        Raises:
            NotNodeMCU, ReplError, AgentError, LinkError, PortLost: it does not work; says why.
        """
        self._move(Trigger.OPEN)
        try:
            self._adopt(await self._put_agent(LinkError))
        except BridgeError as error:
            self._reason = error
            self._move(Trigger.FAILED)
            raise

    async def _put_agent(self, *temporary: type[BridgeError]) -> Link:
        """Put the agent on the board, and make the line as fast as it bears.

        Args:
            temporary: errors after which it is tried again some times: the board may have restarted, and be there
                again in a moment.

        Raises:
            BootLoop: it restarted each time, or all the time.
        """
        loop = asyncio.get_running_loop()
        began, resets = loop.time(), 0
        for attempt in range(1, RESTART_TRIES + 1):
            try:
                return await self._try_agent()
            except BootLoop:
                raise
            except temporary as error:
                self._note_reset(error)
                resets += isinstance(error, BoardReset)
                if isinstance(error, BoardReset) and resets == RESTART_TRIES:
                    what = f"The board restarts again and again, {resets} times within {loop.time() - began:.0f} s"
                    raise BootLoop(what, cause=error.cause, port=self.url) from error
                if attempt == RESTART_TRIES:
                    raise
                log.info("%s: starting over: %s", self.url, discreet_text(str(error)))
        raise AssertionError  # the last attempt returns or raises

    async def _try_agent(self) -> Link:
        if self._port.baud != self._console_baud:
            await self._port.set_baud(self._console_baud)  # a board that has restarted is at its console's speed again
        link = await self._start(self._port)
        codec = Codec(CheckKind(link.facts.check), link.epoch)
        trace.announce(self._port, link.session, codec, damage=max(link.facts.damage, 0.0002))
        try:
            await climb(link, self.url, self._speeds, self._memory)
        except BaseException as error:
            if isinstance(error, BridgeError) and isinstance(link.down, PortLost):
                return link  # it has gone since: who adopts it sees that
            await self._leave(link)
            raise
        return link

    def _adopt(self, link: Link) -> None:
        self._link = link
        self._explain_reset(link.facts.boot_cause)
        self._table = HandleTable(link, self._handlers.report, LuaObject)
        link.on_console = lambda data: self._handlers.tell("console", data)
        link.on_fault = lambda text: self._handlers.tell("fault", text)
        link.on_down = lambda error: self._went_down(link, error)
        self._move(Trigger.ANSWERED)
        if link.down is not None:  # before anybody was told
            self._went_down(link, link.down)

    def _went_down(self, link: Link, error: BridgeError) -> None:
        if link is not self._link or self._state is not State.READY:
            return
        self._link = None
        self._reason = error
        if self._table is not None:
            self._table.fail(error)
        if isinstance(error, LinkError):
            self._note_reset(error)
            self._move(Trigger.DOWN)
            self._restart = asyncio.get_running_loop().create_task(self._come_back())
            if isinstance(error, BoardReset):
                self._handlers.tell("reset", error)
        else:
            self._move(Trigger.FAILED)
            self._handlers.tell("down", error)

    async def _come_back(self) -> None:
        try:
            # A prompt that is not there yet (an init.lua, a file system being made) may still come.
            self._adopt(await self._put_agent(LinkError, ReplError))
            self._handlers.tell("ready")
        except BridgeError as error:
            self._reason = error
            self._move(Trigger.FAILED)
            self._handlers.tell("down", error)

    def _note_reset(self, error: BridgeError) -> None:
        if isinstance(error, BoardReset):
            self._last_reset, self._explained = error, False

    def _explain_reset(self, cause: str | None) -> None:
        """The board is back and says why it restarted. What Lua said before it is more exact."""
        reset = self._last_reset
        if reset is None or self._explained:
            return
        self._explained = True
        if cause is not None and not (reset.cause or "").startswith("PANIC"):
            self._last_reset = BoardReset(cause=cause, port=self.url)

    async def _current(self) -> HandleTable:
        """The handle table of the present boot; waits while the board restarts."""
        while self._state is State.RESTARTING:
            await self.state_changed()
        if self._state is not State.READY or self._table is None:
            raise why_not_ready(self._state, self._reason, self.url)
        return self._table

    def _move(self, trigger: Trigger) -> None:
        after = move(self._state, trigger)
        log.debug("= %s %s → %s", self.url, self._state.name.lower(), after.name.lower())
        why = {"why": str(self._reason)} if after in (State.RESTARTING, State.LOST) and self._reason else {}
        trace.note(self._port, "board", state=after.name.lower(), **why)
        self._state = after
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def state_changed(self) -> None:
        """Wait until `state` changes; several changes at once count as one."""
        await self._changed.wait()
