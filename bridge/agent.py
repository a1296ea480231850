"""Puts the agent on a board through its prompt, and makes the link.

Opening is gentle: the board is not reset, a half-typed line is wiped and not run, and what an agent of ours that
somebody left behind holds is given back first.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from bridge import agent_source
from bridge.errors import (
    AgentError,
    AgentMismatch,
    BoardOutOfMemory,
    BoardReset,
    BootLoop,
    BridgeError,
    LuaError,
    NotNodeMCU,
    PortError,
    ReplError,
)
from bridge.link import AgentFacts, Link
from bridge.link.speed import LADDER
from bridge.loader import Loader
from bridge.ports.base import Port
from bridge.repl import Repl, other_firmware
from bridge.trace.discreet import DiscreetMessages
from bridge.trace.secrets import blanked, discreet_text, find_secrets
from bridge.wire.check import CheckKind
from bridge.wire.events import ConsoleText, Failed, MessageReceived, Opened, SessionEvent
from bridge.wire.frame import NO_EPOCHS, OVERHEAD, Codec
from bridge.wire.liveness import reads_like_boot
from bridge.wire.log import MessageLog
from bridge.wire.messages import Hello
from bridge.wire.quality import LineQuality
from bridge.wire.session import Session

_log = logging.getLogger("bridge.agent")

#: Modules without which there is no agent.
NEEDED = ("node", "tmr", "uart")
#: Modules worth knowing of before the first call.
_PROBED = (
    "adc bit crypto encoder file gpio http i2c mqtt net node ow pipe pwm rtctime sjson sntp spi struct tls tmr "
    "uart wifi"
)
#: A global that firmware 3.x has and 2.x has not.
_ROM = "ROM"
_PROBE = (
    f"local t={{}} for k in ([[{_PROBED} {_ROM}]]):gmatch('%a%w*')do if _G[k]then t[#t+1]=k end end "
    "local b,c if node and node.bootreason then b,c=node.bootreason()end "
    "local m=math return _VERSION..';'..((1/2==0 or m.huge==2147483647)and'integer'or'float')..';'.."
    "table.concat(t,',')..';'..(node and node.heap()or 0)"
    "..';'..tostring(b)..','..tostring(c)..';'..(m.maxinteger and m.maxinteger>2147483647 and 64 or 32)"
)
#: Speeds at which an agent may have been left behind.
_RAISED = (*LADDER, 256_000)
#: How long to wait for the agent's first frame before asking again.
_HELLO_SECONDS = 1.5


@dataclass(frozen=True)
class _Code:
    """`AgentCode` for the link."""

    room_of = staticmethod(agent_source.room_of)
    room = staticmethod(agent_source.room)
    member = staticmethod(agent_source.member)
    spared = agent_source.SPARED
    spare = staticmethod(agent_source.spare)
    stored = staticmethod(agent_source.stored)
    leave = staticmethod(agent_source.leave)
    functions = staticmethod(agent_source.functions)
    speed_try = staticmethod(agent_source.speed_try)
    speed_keep = staticmethod(agent_source.speed_keep)


async def start(
    port: Port,
    *,
    timeout: float = 120.0,
    on_console: Callable[[bytes], None] | None = None,
    on_fault: Callable[[str], None] | None = None,
    rng: random.Random | None = None,
    mhz: int = 160,
) -> Link:
    """Find the prompt, put the agent on the board, and open the link.

    Args:
        port: open, at the speed of the board's console. Stays the caller's, also when this fails.
        timeout: seconds for all of it.
        on_console: gets the board's own text that comes while and after the link is up; see `Caller.on_console`.
        on_fault: see `Caller.on_fault`.
        rng: makes the epoch; from the system by default.
        mhz: clock of the board's CPU while the agent runs, 80 or 160; 0 leaves it as it is.

    Raises:
        NotNodeMCU: something else answers, or nothing does.
        AgentError: the firmware lacks what the agent needs, or has too little heap for it.
        ReplError: the prompt could not be made to run anything; the line may be very bad.
        BoardReset: the board restarted meanwhile; it may be tried again at once, unless it is a BootLoop.
        PortLost: the port went away.
        PortError: it takes no bytes.
    """
    repl = Repl(port, stop=agent_source.stop_sequence())
    try:
        return await _start(repl, timeout, on_console, on_fault, rng or random.SystemRandom(), mhz)
    except BaseException:
        repl.release()
        raise


async def _start(
    repl: Repl,
    timeout: float,
    on_console: Callable[[bytes], None] | None,
    on_fault: Callable[[str], None] | None,
    rng: random.Random,
    mhz: int,
) -> Link:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    port = repl.port
    await _find_prompt(repl, min(timeout, 6.0))
    loader = Loader(repl, deadline - loop.time())
    try:
        await loader.prepare()
        firmware = await _probe(loader, port.url)
    except BoardOutOfMemory:
        await _forget(loader)
        raise
    except (NotNodeMCU, AgentError):
        await _tidy(loader)
        raise
    epoch = next(epoch for epoch in iter(lambda: rng.randrange(0x10000), None) if epoch not in NO_EPOCHS)
    codec = Codec(CheckKind.CRC if "ow" in firmware.modules else CheckKind.SUM, epoch)
    # A line that damages much needs short frames from the first one on.
    fragment = LineQuality(OVERHEAD + 1, loader.damage).best_size(agent_source.FIRST_FRAGMENT) - OVERHEAD
    *pieces, last = agent_source.core(codec, fragment, low_input=firmware.is_2x)
    try:
        await loader.run(agent_source.prepare(mhz))
        for piece in pieces:
            await loader.run(piece.text)
        session, hello = await _launch(repl, loader, last.text, codec, deadline)
    except BoardOutOfMemory:
        await _forget(loader)
        raise
    except LuaError as error:
        await _tidy(loader)
        raise AgentError(
            f"The agent could not be loaded: {error.text}", port=port.url, remedy="Reset the board and try again."
        ) from error
    if hello.digest != agent_source.digest().encode():
        raise AgentMismatch("The agent that answered is of another version", port=port.url, remedy="Reset the board.")
    facts = AgentFacts(
        lua=firmware.lua, number=firmware.number, modules=firmware.modules,
        heap_before=firmware.heap, heap_after=int(hello.values[0]),
        check=codec.kind.value, digest=agent_source.digest(), damage=loader.damage, boot_reason=firmware.boot_reason,
        bits=firmware.bits,
    )  # fmt: skip
    _log.info("%s: agent %s runs, epoch %04x, %s", port.url, facts.digest, epoch, facts)
    repl.release()

    async def farewell() -> None:
        await stop(port)

    link = Link(port, session, epoch=epoch, code=_Code(), farewell=farewell, facts=facts)
    link.on_console, link.on_fault = on_console, on_fault
    return link


async def _find_prompt(repl: Repl, seconds: float) -> None:
    """Find the prompt, also that of a board whose line an agent left behind has made faster."""
    try:
        await repl.sync(min(seconds, 2.5))
    except (ReplError, BootLoop):
        if other_firmware(repl.heard) is not None:
            raise
        await _call_at_other_speeds(repl)
        await repl.sync(seconds)


async def _call_at_other_speeds(repl: Repl) -> None:
    port, console = repl.port, repl.port.baud
    await port.drain()  # a port that takes nothing does so at no speed
    try:
        for baud in _RAISED:
            try:
                await port.set_baud(baud)
            except PortError:  # then no agent was left at it through this adapter
                continue
            for step in agent_source.stop_steps():
                repl.write(b"\0" + step)
                await port.drain()
                # The bytes leave, the agent reads and runs them, and 20 ms after the last it gives the prompt back.
                await asyncio.sleep(0.06 + len(step) * 10 / baud)
    except PortError as error:
        _log.debug("%s: no other speeds: %s", port.url, error)
    finally:
        await port.set_baud(console)


async def stop(port: Port, timeout: float = 6.0) -> None:
    """Make sure that the prompt answers, whatever runs there; an agent of any epoch gives it back.

    Raises:
        NotNodeMCU, PortLost: as `start`.
    """
    repl = Repl(port, stop=agent_source.stop_sequence())
    try:
        await repl.sync(timeout)
    finally:
        repl.release()


@dataclass(frozen=True)
class _Firmware:
    """What the probe learnt."""

    lua: str
    number: str
    modules: tuple[str, ...]
    heap: int
    boot_reason: tuple[int, int] | None
    bits: int
    is_2x: bool


async def _probe(loader: Loader, url: str) -> _Firmware:
    try:
        answer = await loader.run(_PROBE)
    except LuaError as error:
        raise NotNodeMCU(f"A Lua prompt answers that is not NodeMCU's: {error.text}", port=url) from error
    found = re.fullmatch(
        r"Lua (5\.\d);(integer|float);([\w,]*);(\d+)(?:\.0)?;(\w+)(?:\.0)?,(\w+)(?:\.0)?;(\d+)", answer
    )
    if found is None:
        raise NotNodeMCU(f"A Lua prompt answers that is not NodeMCU's: {discreet_text(answer)[:80]!r}", port=url)
    names = {name for name in found[3].split(",") if name}
    modules = tuple(sorted(names - {_ROM}))
    missing = [name for name in NEEDED if name not in modules]
    if missing:
        raise AgentError(
            f"The firmware has no module {' and no '.join(missing)}, which the bridge needs",
            port=url,
            remedy="Flash an image with the modules node, tmr, uart and net.",
        )
    reason = (int(found[5]), int(found[6])) if found[5].isdigit() and found[6].isdigit() else None
    return _Firmware(found[1], found[2], modules, int(found[4]), reason, int(found[7]), _ROM not in names)


async def _launch(repl: Repl, loader: Loader, source: bytes, codec: Codec, deadline: float) -> tuple[Session, Hello]:
    """Run the piece that takes the UART over, and wait for the agent's first message.

    The answer to that line may be damaged while the agent runs already; then only its frames tell.
    """
    loop = asyncio.get_running_loop()
    while True:
        began = await loader.launch(source)
        if began is None:
            continue
        session = Session(codec, baud=repl.port.baud, damage=max(loader.damage, 0.0002), name=repl.port.url)
        session.messages = MessageLog(repl.port.url, DiscreetMessages)
        session.receive_data(began, loop.time())
        repl.forget()
        limit = min(loop.time() + _HELLO_SECONDS, deadline)
        text = b""
        while True:
            now = loop.time()
            while (event := session.next_event()) is not None:
                if isinstance(event, MessageReceived) and isinstance(event.message, Hello):
                    return session, event.message
                if isinstance(event, Failed):
                    raise event.error
                if isinstance(event, Opened):
                    limit = deadline  # the agent runs; another session would miss what this one has acknowledged
                _log.debug("%s: before the first message: %s", repl.port.url, _shown(event))
                text += event.data if isinstance(event, ConsoleText) else b""
            if reads_like_boot(text):
                raise BoardReset("The board restarted while the agent was put on it", port=repl.port.url)
            if data := session.data_to_send(now):
                repl.write(data)
            due = min(session.deadline() or limit, limit)
            found = await repl.wait_for(_ANYTHING, max(due - now, 0.001))
            now = loop.time()
            if found is not None:
                data = repl.received
                repl.forget()
                session.receive_data(data, now)
            elif now >= limit:
                break
            session.handle_timeout(now)
        if loop.time() >= deadline:
            raise ReplError("The agent was started and never answered", port=repl.port.url, remedy="Reset the board.")


_ANYTHING = re.compile(rb"(?s).")


def _shown(event: SessionEvent) -> str:
    return (
        repr(blanked(event.data, find_secrets(event.data))) if isinstance(event, ConsoleText) else type(event).__name__
    )


async def _tidy(loader: Loader) -> None:
    """Leave the prompt as it was found, if that can be done."""
    try:
        await loader.run(agent_source.restore())
    except BridgeError as error:
        _log.info("the collector and the CPU's clock were left as they are: %s", error)
    await _forget(loader)


async def _forget(loader: Loader) -> None:
    """Take the bootstrap's table away, if that can be done."""
    try:
        await loader.finish()
    except BridgeError as error:
        _log.info("the prompt was left with a table of the bootstrap: %s", error)
