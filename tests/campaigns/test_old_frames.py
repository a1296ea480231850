"""Frames of an earlier epoch that a program on the virtual board prints: console text, and never frames."""

from __future__ import annotations

import asyncio
import random

import pytest

from bridge import agent
from bridge.link import Link
from bridge.virtual import clock
from tests.variants import by_night
from tests.virtual_link import virtual_port

BOTH = pytest.mark.parametrize("lua", ["5.1", "5.3"])
WAYS = pytest.mark.parametrize("function", ["print", "uart.write"])
SIZES = pytest.mark.parametrize("size", by_night([3, 40, 400], but=[3]))


def plain(data: bytes) -> bytes:
    """What is left when line ends are translated and NULs are lost."""
    return data.translate(None, b"\0\r\n")


async def captured(port: object) -> bytes:
    """What an agent says in an epoch that is over then: replies, events, acknowledgements, as they were on the line."""
    link = await agent.start(port, rng=random.Random(1))  # type: ignore[arg-type]
    heard = bytearray()
    receive = link.session.receive_data

    def listen(data: bytes, now: float) -> None:
        heard.extend(data)
        receive(data, now)

    link.session.receive_data = listen  # type: ignore[method-assign]
    rng = random.Random(2)
    await link.run_lua("function echo(...) return ... end")
    for length in (1, 20, 200, 300):
        await link.call("echo", rng.randbytes(length))
    await link.close()
    return bytes(heard)


class Watch:
    """All that a link hears that is not a reply to a call of ours."""

    def __init__(self, link: Link) -> None:
        self.console = b""
        self.odd: list[object] = []
        link.on_console = self._text
        link.on_fault = link.on_down = self.odd.append
        answered = link._calls.answered

        def known(message: object) -> object:
            call = answered(message)  # type: ignore[arg-type]
            if call is None:
                self.odd.append(message)
            return call

        link._calls.answered = known  # type: ignore[method-assign, assignment]
        deliver = link._receivers.deliver

        def event(*values: object) -> None:
            self.odd.append(values)
            deliver(*values)  # type: ignore[arg-type]

        link._receivers.deliver = event  # type: ignore[method-assign, assignment]

    def _text(self, data: bytes) -> None:
        self.console += data


@BOTH
@WAYS
@SIZES
def test_old_frames_that_a_program_prints_are_text(lua: str, function: str, size: int) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua) as port:
            old = await captured(port)
            assert old.count(b"\0") > 10
            link = await agent.start(port, rng=random.Random(3))
            watch = Watch(link)
            await link.run_lua("function echo(...) return ... end OLD = ''")
            old = old[:1500]
            await link.run_lua("OLD = ...", old)
            write = "print(s)" if function == "print" else "uart.write(0, s)"
            await link.run_lua(
                f"local at, size, t = 1, {size}, tmr.create() t:alarm(5, tmr.ALARM_AUTO, function() "
                f"if at > #OLD then t:stop() OLD = nil return end local s = OLD:sub(at, at + size - 1) at = at + size "
                f"{write} end)"
            )
            rng = random.Random(4)
            while (await link.run_lua("return OLD == nil", timeout=60)) != (True,):
                chunk = rng.randbytes(rng.choice([5, 300, 900]))
                assert await link.call("echo", chunk, timeout=60) == (chunk,)
            await asyncio.sleep(3)
            pieces = [old[at : at + size] for at in range(0, len(old), size)]
            if function == "print" and lua == "5.1":  # it stops at NUL
                pieces = [piece.partition(b"\0")[0] for piece in pieces]
            assert watch.odd == [] and link.down is None
            if function == "print":
                assert plain(watch.console) == plain(b"".join(pieces))
            else:
                assert watch.console == old.replace(b"\0", b"")
            await link.close()

    clock.run(main())


@BOTH
@pytest.mark.parametrize("busy", [False, True])
def test_short_writes_of_any_bytes_are_not_lost_on_a_clean_line(lua: str, busy: bool) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua) as port:
            link = await agent.start(port, rng=random.Random(3))
            watch = Watch(link)
            await link.run_lua("function echo(...) return ... end function say(s) uart.write(0, s) end")
            said = b""
            rng = random.Random(5)
            for number in range(60):
                text = bytes(rng.randrange(1, 256) for _ in range(rng.randrange(1, 9)))
                await link.call("say", text)
                said += text
                if busy:
                    if number % 8 == 0:  # a board that is slow to answer is no bad line
                        await link.run_lua("tmr.delay(300000)")
                    await asyncio.gather(*(link.call("echo", rng.randbytes(200)) for _ in range(2)))
                else:
                    await asyncio.sleep(rng.choice([0.01, 0.1, 2.0]))
            await asyncio.sleep(2)
            assert watch.console == said and watch.odd == []
            await link.close()

    clock.run(main())
