"""Boards and lines that do everything wrong: a deadline on every wait, a typed error that says what was seen, and
memory that stays bounded. On the virtual clock.
"""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from bridge import agent
from bridge.errors import (
    BoardOutOfMemory,
    BoardReset,
    BootLoop,
    BridgeError,
    LinkTimeout,
    NotNodeMCU,
    RemoteProtocolError,
    ReplError,
)
from bridge.inspect import inspect_board
from bridge.link import Link
from bridge.opening import open_board
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.liveness import SILENCE_LIMIT
from tests.variants import by_night
from tests.virtual_link import virtual_link, virtual_port


@pytest.fixture(autouse=True)
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual board that computes without end stands still sooner than else, but later than any deadline here."""
    monkeypatch.setattr("bridge.virtual.sdk.cpu.ENDLESS_S", 10.0)


def now() -> float:
    return asyncio.get_running_loop().time()


# a board that is stuck or restarts


@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.3"]))
def test_a_board_in_a_loop_that_feeds_the_watchdog_is_given_up(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            downs: list[BridgeError] = []
            link.on_down = downs.append
            began = now()
            with pytest.raises(LinkTimeout, match="did not answer"):
                await link.run_lua("while true do tmr.wdclr() end", timeout=2.0)
            assert now() - began == pytest.approx(2.0, abs=0.01)
            with pytest.raises(LinkTimeout, match="has not answered for 6 s") as caught:
                await link.call("node.heap", timeout=None)
            assert "stuck in a Lua loop" in str(caught.value)
            assert now() - began < SILENCE_LIMIT + 1.5 and len(downs) == 1
            closing = now()
            await link.close()
            assert now() - closing < 10.0

    clock.run(main())


@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.1"]))
def test_a_board_that_prints_without_end_is_given_up_and_what_it_printed_is_there(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            text, began = bytearray(), now()
            link.on_console = text.extend
            loop = "for i=1,900 do print(('temperature '..i..' '):rep(7)) tmr.wdclr() end"
            with pytest.raises(LinkTimeout, match="for 6 s, only printed"):
                await link.run_lua(loop, timeout=None)
            assert now() - began < SILENCE_LIMIT + 1.5
            # All that the line carried until then, and in order.
            lines = text.split(b"\r\n")
            assert len(text) > 5.5 * 11_520
            assert lines[:-1] == [b"temperature %d " % number * 7 for number in range(1, len(lines))]

    clock.run(main())


@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.1"]))
def test_a_board_in_a_loop_that_starves_the_watchdog_restarts_and_that_is_said(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            began = now()
            with pytest.raises((BoardReset, LinkTimeout)) as caught:
                await link.run_lua("while true do end", timeout=None)
            assert isinstance(caught.value, BoardReset), caught.value
            assert now() - began < SILENCE_LIMIT + 2.0

    clock.run(main())


@pytest.mark.parametrize("every", by_night([0.1, 0.3, 1.0], but=[0.1, 1.0]))
def test_a_board_that_restarts_all_the_time_cannot_be_opened_and_that_is_said(every: float) -> None:
    async def main() -> None:
        async with virtual_port() as port:

            async def restart() -> None:
                while True:
                    await asyncio.sleep(every)
                    port.board.reset()

            restarting = asyncio.ensure_future(restart())
            began = now()
            with pytest.raises((BoardReset, ReplError)) as caught:
                await open_board(port)
            assert now() - began < 15.0
            if every > 0.2:
                assert isinstance(caught.value, BootLoop)
                assert "restarts again and again, 3 times within" in str(caught.value)
                assert "power supply" in str(caught.value)
            else:  # it does not get as far as its banner; what is heard is the noise of the boot ROM
                assert isinstance(caught.value, NotNodeMCU) and "boot loop" in str(caught.value)
            restarting.cancel()
            await asyncio.sleep(5)
            await (await open_board(port)).close()  # and can be when it has stopped

    clock.run(main())


#: Programs that leave no prompt, and what is said of each.
INIT: dict[str, tuple[str, type[BridgeError], str]] = {
    "restarts": ("node.restart()", BootLoop, "again and again.* power supply"),
    "sleeps deeply": ("node.dsleep(1000000)", BootLoop, "again and again"),
    "never ends": ("while true do end", BridgeError, "starts here, and .* prompt does not answer|again and again"),
    "feeds the watchdog": ("while true do tmr.wdclr() end", ReplError, "NodeMCU starts here"),
    "holds the UART": ("uart.on('data',0,function()end,0)", ReplError, "NodeMCU starts here"),
    "prints all the time": (
        "tmr.create():alarm(2,1,function()print('temperature 21.5 humidity 40')end)",
        ReplError,
        "NodeMCU starts here.*it says .*temperature",
    ),
    "speaks at 9600 baud": ("uart.setup(0,9600,8,0,1,1)", ReplError, "at 115200 baud is no text"),
    "holds the memory": ("t={} for i=1,2800 do t[i]={} end", BoardOutOfMemory, "too little free heap.*init.lua"),
}


@pytest.mark.parametrize("what", by_night(INIT, but=["restarts", "never ends", "holds the UART", "holds the memory"]))
def test_a_program_that_leaves_no_prompt_is_told_with_what_to_do(what: str) -> None:
    source, kind, said = INIT[what]

    async def main() -> None:
        async with virtual_port() as port:
            await port.board.answered()
            typed = Repl(port)
            await typed.sync()
            await typed.line(f'file.putcontents("init.lua",[==[{source}]==])')
            typed.release()
            for work in (lambda: agent.start(port, rng=random.Random(1)), lambda: inspect_board(port)):
                port.board.reset()
                began = now()
                with pytest.raises(kind, match=said) as caught:
                    await work()
                assert now() - began < 15.0 and caught.value.port == port.url and caught.value.remedy

    clock.run(main())


def test_a_board_that_restarts_all_the_time_ends_a_link_at_once() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            board = link._port.board  # type: ignore[attr-defined]
            began = now()

            async def restart() -> None:
                while True:
                    board.reset()
                    await asyncio.sleep(1.0)

            restarting = asyncio.ensure_future(restart())
            with pytest.raises((BoardReset, LinkTimeout)):
                while True:
                    await link.call("node.heap", timeout=None)
            assert now() - began < SILENCE_LIMIT + 2.0
            restarting.cancel()

    clock.run(main())


# a port on which something else speaks


class OddPort:
    """A port whose other end answers each write as `reply` says, and speaks by itself as `speak` says."""

    url = "odd:"

    def __init__(self, reply: Callable[[bytes], bytes], speak: bytes = b"", every: float = 0.01) -> None:
        self._reply, self._speak, self._every = reply, speak, every
        self._receiver: Any = None
        self._loop = asyncio.get_running_loop()
        self.written = 0
        self.baud = 115200
        if speak:
            self._loop.call_later(every, self._say)

    def set_receiver(self, receiver: Any, lost: Any = None) -> None:
        self._receiver = receiver

    async def set_baud(self, baud: int) -> None:
        self.baud = baud

    async def drain(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.written += len(data)
        answer = self._reply(data)
        if answer:
            self._loop.call_later(len(data) / 11520, self._hand, answer)

    def _hand(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver(data)

    def _say(self) -> None:
        self._hand(self._speak)
        self._loop.call_later(self._every, self._say)


ODD: dict[str, tuple[Callable[[bytes], bytes], bytes]] = {
    "silence": (lambda data: b"", b""),
    "echo": (lambda data: data, b""),
    "noise": (lambda data: b"", random.Random(1).randbytes(110)),
    "NULs": (lambda data: b"\0" * len(data), b"\0" * 100),
    "prompts": (lambda data: b"> ", b"> "),
    "half frames": (
        lambda data: b"",
        Codec(agent.CheckKind.CRC, 1).encode(Frame(Kind.LAST, 0, 0, payload=b"x" * 50), to_host=True)[:30],
    ),
    "a line without end": (lambda data: b"x" * 500, b"y" * 110),
    "MicroPython": (lambda data: data + b"\r\n>>> ", b""),
}


@pytest.mark.parametrize("what", ODD)
def test_something_else_on_the_port_is_told_in_time(what: str) -> None:
    async def main() -> None:
        port = OddPort(*ODD[what])
        began = now()
        with pytest.raises(NotNodeMCU) as caught:
            await agent.start(port, timeout=10.0, rng=random.Random(1))  # type: ignore[arg-type]
        assert now() - began < 12.0
        assert caught.value.remedy and port._receiver is None

    clock.run(main())


# a board that lies


def to_host(link: Link, *frames: Frame) -> bytes:
    codec: Codec = link.session._codec
    return b"".join(codec.encode(frame, to_host=True) for frame in frames)


def test_a_message_that_never_ends_is_refused() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            waiting = asyncio.ensure_future(link.call("node.heap", timeout=None))
            seq = link.session.receiver.expected
            ack = link.session.sender._base
            for number in range(1000):
                frame = Frame(Kind.MORE, (seq + number) % 32, ack, payload=b"\x02" * 200)
                link._received(to_host(link, frame))
                if link.down is not None:
                    break
            assert isinstance(link.down, RemoteProtocolError) and "longer than 70000 bytes" in str(link.down)
            with pytest.raises(RemoteProtocolError):
                await waiting

    clock.run(main())


@pytest.mark.parametrize(
    ("payload", "seen"),
    [
        (b"\x02\x01e\xff\xffr\0\x011", "ends .* too early"),
        (b"\x02\x01g\xff\xff123", "ends .* too early"),
        (b"\x02\x01" + b"e\0\1" * 20, "nested deeper"),
        (b"\x02\x01r\0\x04nope", "number"),
        (b"\x02\x01?\0\0", "unknown tag"),
        (b"\xee", "unknown opcode"),
        (b"\x04\0", "ends inside its field"),
    ],
)
def test_a_lie_ends_the_link_and_says_what_was_seen(payload: bytes, seen: str) -> None:
    async def main() -> None:
        async with virtual_link() as link:
            waiting = asyncio.ensure_future(link.call("node.heap", timeout=None))
            frame = Frame(Kind.LAST, link.session.receiver.expected, link.session.sender._base, payload=payload)
            link._received(to_host(link, frame))
            with pytest.raises(RemoteProtocolError, match=seen):
                await waiting
            await link.close()

    clock.run(main())


def test_a_flood_of_garbage_is_not_kept_and_stops_no_call() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            rng = random.Random(1)
            other = Codec(link.session._codec.kind, link.session._codec.epoch ^ 1)
            await link.call("node.heap")
            tracemalloc.start()
            before = 0
            for number in range(400):
                old = other.encode(Frame(Kind.LAST, number % 32, 0, payload=rng.randbytes(200)), to_host=True)
                for piece in (rng.randbytes(300), old, old[:40], b"x" * 700, b"\0" * 50):
                    link._received(piece)
                if number % 40 == 0:
                    assert (await link.call("node.heap", timeout=20))[0] > 0
                if number == 40:
                    before = tracemalloc.get_traced_memory()[0]
            after = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            assert after < before + 200_000
            assert link.down is None

    clock.run(main())


# deadlines


@pytest.mark.parametrize("timeout", [0.05, 1.0, 3.0])
def test_what_a_call_promises_holds_on_any_line(timeout: float) -> None:
    async def main() -> None:
        async with virtual_port(drop=0.004, flip=0.004, duplicate=0.002, delay=0.001, seed=8) as port:
            link = await agent.start(port, timeout=60.0, rng=random.Random(1))
            await link.run_lua("function work(ms) tmr.delay(ms * 1000 + 1) return ms end", timeout=60)
            outcomes = set()
            for number in range(12):
                began = now()
                try:
                    assert await link.call("work", 40 * number, timeout=timeout) == (40 * number,)
                    outcomes.add("answered")
                except LinkTimeout as error:
                    outcomes.add("timeout")
                    assert f"within {timeout:g} s" in str(error)
                assert now() - began <= timeout + 0.001
            assert outcomes <= {"answered", "timeout"} and link.down is None
            await asyncio.sleep(5)
            assert await link.call("work", 1, timeout=60) == (1,)  # late answers have harmed nobody

    clock.run(main())
