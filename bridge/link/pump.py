"""The pump between a session and a port, and the calls, events and console text that it moves."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import random
from collections.abc import Awaitable, Callable, Iterable

from bridge.errors import BridgeError, LinkError, PortError
from bridge.link.asides import Asides
from bridge.link.asks import Asks
from bridge.link.callbacks import CallbackTable
from bridge.link.caller import CALL_TIMEOUT, EventReceiver
from bridge.link.calls import CallTable, PendingCall, limit, lua_text
from bridge.link.chunks import Chunks
from bridge.link.facts import AgentFacts
from bridge.link.line import LinkLine
from bridge.link.receivers import Receivers, event_of, guarded
from bridge.link.rooms import Rooms
from bridge.link.shapes import AgentCode, ShapeTable, direct_arguments, is_direct
from bridge.link.shortage import Shortage
from bridge.link.sources import CHUNK_NAME, source_messages
from bridge.link.speed import climb
from bridge.link.values import BoardValues
from bridge.ports.base import Port
from bridge.trace.secrets import discreet_text
from bridge.wire.events import ConsoleText, Failed, MessageReceived, SessionEvent
from bridge.wire.messages import ONCE, Ask, Call, DirectCall, Event, Failure, Invoke, Message, Reply, Source, encode
from bridge.wire.session import Session
from bridge.wire.values import Aside, Handle, Value

_log = logging.getLogger("bridge.link")

#: New calls wait while so many bytes are queued for the line: memory stays bounded, and a timeout means the board.
QUEUE_LIMIT = 16_384
#: How long `close` waits for the agent to say that it has stopped.
STOP_SECONDS = 2.0


class Link:
    """A session and a port, pumping; satisfies `Caller`. Made by `bridge.agent.start`.

    Args:
        port: open; the link takes its receiver until it is closed or down.
        session: opened or about to be.
        epoch: number of this boot of the agent.
        code: sources of the agent's rooms.
        farewell: awaited by `close` when the agent has stopped: makes sure that the prompt is back.
        facts: what the bootstrap learnt.
    """

    def __init__(
        self,
        port: Port,
        session: Session,
        *,
        epoch: int,
        code: AgentCode,
        farewell: Callable[[], Awaitable[None]],
        facts: AgentFacts,
    ) -> None:
        self.on_console: Callable[[bytes], None] | None = None
        self.on_down: Callable[[BridgeError], None] | None = None
        self.on_fault: Callable[[str], None] | None = None
        self.facts, self.epoch, self.session = facts, epoch, session
        self._port, self._code, self._farewell, self._loop = port, code, farewell, asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._down: BridgeError | None = None
        self._closing = self._paused = False
        self._calls = CallTable(port.url, self._may_begin, self._let_go)
        self._asides = Asides(self._fetch, self._calls.let_go)
        self.line = LinkLine(self, port, code)
        self._quiet = asyncio.Event()
        self._shapes, self._rooms = ShapeTable(code), Rooms(code, self._load)
        self._shortage, self._chunks = Shortage(), Chunks(self)
        self._receivers = Receivers(self._calls.let_go)
        self.callbacks = CallbackTable(port.url, lambda: self.line.once(code.functions(), CALL_TIMEOUT))
        self._values = BoardValues(self.callbacks, facts.numbers)
        self._asks = Asks(lambda call_id, data: self.post("@wait.resume", call_id, data), self._values.outward)
        port.set_receiver(self._received, self._fail)
        self._work()

    @property
    def url(self) -> str:
        """URL of the port."""
        return self._port.url

    @property
    def down(self) -> BridgeError | None:
        """Why the link is over, or None while it is up."""
        return self._down

    async def climb(self, speeds: Iterable[int]) -> int:
        """Make the line as fast as it proves to bear; returns its speed in baud. Other calls wait meanwhile.

        Args:
            speeds: in baud, the best one first; see `bridge.link.speed`.

        Raises:
            LinkError: the board was lost on the way.
        """
        self._check()
        self._paused = True
        self.session.expect_boot_noise(1)  # there will be noise
        try:
            while len(self._calls) or not self.session.idle:
                self._quiet.clear()
                await self._quiet.wait()
                self._check()
            # The same epoch makes the same proof: runs of one seed are alike.
            return await climb(self.line, speeds, random.Random(self.epoch))
        finally:
            self.session.expect_boot_noise(self.line.faster)
            self._paused = False
            self._calls.admit()

    async def begin_urgently(self, what: str) -> PendingCall:
        """A number for a call that waits for no other; used by the link's own parts."""
        return await self._calls.begin(what, urgent=True)

    def _may_begin(self) -> bool:
        return not self._paused and self.session.sender.queued < QUEUE_LIMIT

    async def call(self, target: str, *values: Value, timeout: float | None = CALL_TIMEOUT) -> tuple[Value, ...]:
        """See `Caller.call`."""
        self._check()
        async with self.limit(timeout, target):
            return await self.finish(await self.begin(target, values))

    def post(self, target: str, *values: Value) -> None:
        """See `Caller.post`."""
        try:
            with self._rooms.missing(self._shapes.rooms(target, values)) as first:
                self.send(*first, *self._defined(target, None), self.message_for(target, 0, values))
        except BaseException:
            self._shapes.drop(target)
            raise

    async def run_lua(
        self, source: str | bytes, *values: Value, timeout: float | None = CALL_TIMEOUT, name: str = CHUNK_NAME
    ) -> tuple[Value, ...]:
        """See `Caller.run_lua`."""
        self._check()
        return await self._chunks.run(source.encode() if isinstance(source, str) else source, values, timeout, name)

    async def begin(self, target: str, values: tuple[Value, ...], source: list[Source] | None = None) -> PendingCall:
        """Send a call of a target, or of the source that goes with it, when there is room and its rooms are loaded."""
        await self._rooms.load(self._shapes.rooms(target, values, self.facts.modules))
        call = await self._calls.begin(target or "a chunk of Lua")
        self._begin(call, target, values, source)
        return call

    def _begin(self, call: PendingCall, target: str, values: tuple[Value, ...], source: list[Source] | None) -> None:
        try:
            # A room may have gone while this call waited for its turn.
            with self._rooms.missing(self._shapes.rooms(target, values, self.facts.modules)) as first:
                first += self._defined(target, call) if source is None else source
                self.send(*first, self.message_for(target, call.call_id, values))
            call.releases = self._receivers.releases
        except BaseException:
            self._shapes.drop(target)
            self._calls.abandon(call)
            raise

    async def finish(self, call: PendingCall) -> tuple[Value, ...]:
        """What a call that was sent returns."""
        # If this is cancelled the number stays taken until the board's reply has come: it must not answer another.
        try:
            results = await call.future
        except asyncio.CancelledError:
            future = call.future
            if future.cancelled():
                self._asks.give_up(call.call_id)
            elif future.exception() is None:  # the reply came in the moment in which this was given up
                self._calls.let_go(future.result())
            raise
        return await self._asides.fetched(results)

    async def _fetch(self, value: Aside) -> Value:
        return (await self.call("@values.fetch", value.number, timeout=None))[0]

    def _let_go(self, value: Handle | Aside) -> None:
        """Something came that nobody waits for any more."""
        if isinstance(value, Handle):
            self.release(value)
        elif self._down is None and not self._closing:
            self._asides.drop(value)

    def _defined(self, target: str, call: PendingCall | None) -> list[Message]:
        """What is to be sent before a target can be called by its number: nothing, when the board knows it."""
        if self._shapes.known(target) is not None:
            return []
        source = self._shapes.source(target)
        number = self._shapes.define(target)
        if call is not None:
            call.defines = number
        return list(source_messages(source))

    async def _load(self, room: str) -> None:
        for piece in self._code.room(room):
            call = await self._calls.begin(f"room {room}")
            self.send(*source_messages(piece), Call(ONCE, call.call_id))
            await call.future

    def limit(self, seconds: float | None, what: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Raise LinkTimeout when what is waited for is not there in time; used by the link's own parts."""
        return limit(seconds, what, self.url)

    def message_for(self, target: str, call_id: int, values: tuple[Value, ...]) -> Message:
        """The call of a target that the board knows, or ("") of the source that was sent before."""
        shape = (self._shapes.known(target) or 0) if target else 0
        if is_direct(target):
            return DirectCall(shape, call_id, direct_arguments(values))
        return Call(shape, call_id, tuple(self._values.outward(value) for value in values))

    # handles

    def subscribe(self, handle: Handle, receiver: EventReceiver) -> None:
        """See `Caller.subscribe`."""
        self._receivers.subscribe(handle.number, receiver)

    def spare(self) -> None:
        """See `Caller.spare`."""
        self._shortage.spared(self._loop.time())
        rooms = self._rooms.forget(self._code.spared)
        self.send(*source_messages(self._code.spare(rooms)), Call(ONCE, 0))
        self._shapes.clear()

    def unsubscribe(self, handle: Handle) -> None:
        """See `Caller.unsubscribe`."""
        self._receivers.unsubscribe(handle.number)

    def grant(self, handle: Handle, amount: int) -> None:
        """See `Caller.grant`."""
        if self._down is None and not self._closing:
            self.post("@net.grant", handle, amount)

    def release(self, handle: Handle, count: int = 1) -> None:
        """See `Caller.release`."""
        self._receivers.release(handle.number)
        if self._down is None and not self._closing:
            self.post("@release", handle, *((count,) if count > 1 else ()))

    # the end

    async def close(self) -> None:
        """See `Caller.close`.

        Raises:
            ReplError: the prompt did not come back.
            PortLost: the port went away meanwhile.
        """
        if self._down is not None or self._closing:
            return
        self._calls.fail(LinkError("The link was closed", port=self.url))
        stopping = asyncio.ensure_future(self._stop())
        self._closing = True
        try:
            with contextlib.suppress(TimeoutError, BridgeError):
                async with asyncio.timeout(STOP_SECONDS):
                    await stopping
        finally:  # also for who gives up waiting: a link that is half closed could never be closed again
            self._end(LinkError("The link was closed", port=self.url))
            await self.line.leave()
        if not isinstance(self._down, PortError):
            await self._farewell()

    async def _stop(self) -> None:
        call = await self._calls.begin("stop")
        now = self._loop.time()
        for message in (*source_messages(self._code.leave()), Call(ONCE, call.call_id)):
            self.session.send(message, now)
        self._work()
        await call.future
        self._work()  # the acknowledgement of that reply

    def _end(self, error: BridgeError) -> None:
        if self._down is None:
            self._down = error
            self.session.close()
            if self._timer is not None:
                self._timer.cancel()
            self._port.set_receiver(None)
        self._calls.fail(error)
        self._asks.close()
        self._quiet.set()

    def _fail(self, error: BridgeError) -> None:
        if self._down is not None:
            return
        _log.info("%s: down: %s", self.url, discreet_text(str(error)))
        self._end(error)
        if self.on_down is not None and not self._closing:
            guarded(self.on_down, error)

    def _check(self) -> None:
        if self._down is not None:
            raise copy.copy(self._down) from self._down
        if self._closing:
            raise LinkError("The link is being closed", port=self.url)

    # pumping

    def send(self, *messages: Message) -> None:
        """Queue messages, all or none; used by the link's own parts."""
        self._check()
        now = self._loop.time()
        if len(messages) > 1:  # all or none: source without its call would become part of the next one
            for message in messages:
                encode(message)
        for message in messages:
            self.session.send(message, now)
        self._arm(now)  # what is said in this turn of the loop leaves in one write

    def _received(self, data: bytes) -> None:
        if self.session.receive_data(data, self._loop.time()) or self._timer_at is None:
            self._work()
        elif (at := self.session.text_at) is not None and at < self._timer_at:
            self._arm(at)  # text on an idle line; else the timer that stands is early at most

    def _due(self) -> None:
        # The loop may call a little early; the clock's last digit must not decide.
        now = max(self._loop.time(), self._timer_at or 0.0)
        self._timer = self._timer_at = None
        due = self.session.deadline()
        if due is not None and now >= due:
            self.session.handle_timeout(now)
        self._work(now)

    def _work(self, now: float | None = None) -> None:
        while self._down is None and (event := self.session.next_event()) is not None:
            self._take(event)
        if self._down is not None:
            return
        if data := self.session.data_to_send(self._loop.time() if now is None else now):
            try:
                self._port.write(data)
            except PortError as error:
                self._fail(error)
                return
        self._arm(self.session.deadline())
        self._calls.admit()
        if not len(self._calls) and self.session.idle:
            self._quiet.set()

    def _arm(self, at: float | None) -> None:
        if at is not None and self._timer_at is not None and self._timer_at == at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = None if at is None else self._loop.call_at(at, self._due)

    def _take(self, event: SessionEvent) -> None:
        match event:
            case MessageReceived(message):
                self._message(self._values.message(message))
            case ConsoleText(data):
                if self.on_console is not None:
                    guarded(self.on_console, data)
            case Failed(error):
                self._fail(error)

    def _fault(self, text: str) -> None:
        _log.warning("%s: the agent reports: %s", self.url, discreet_text(text))  # of Lua, that says anything
        if self.on_fault is not None:
            guarded(self.on_fault, text)

    def _message(self, message: Message) -> None:
        match message:
            case Failure(0, values):
                self._fault(lua_text(values[0] if values else None))
                self._calls.let_go(values)
            case Reply() | Failure():
                call = self._calls.answered(message)
                if call is not None:
                    self._receivers.settled(call.releases)
                    if call.defines and isinstance(message, Failure):
                        # It may not have compiled; the next call sends the source again.
                        self._shapes.drop(call.target)
            case Event(0):  # the agent itself: sockets wait for heap
                if self._shortage.may_spare(now := self._loop.time()) and not self._closing:
                    self.spare()
                if (text := self._shortage.told(now)) is not None:
                    self._fault(text)
            case Event(number, code, values):
                self._receivers.deliver(number, *event_of(code, values))
            case Ask(number, call_id, values):
                function = self.callbacks.function(number) if self._calls.waited_for(call_id) else None
                if function is None:
                    self._calls.let_go(values)
                self._asks.begin(function, call_id, values)
            case Invoke(number, dropped, values):
                if dropped and (text := self.callbacks.lost(number, dropped)) is not None:
                    self._fault(text)
                guarded(self.callbacks.function(number) or (lambda *dropped: self._calls.let_go(dropped)), *values)
