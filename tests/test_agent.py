import asyncio
import random

import pytest

from bridge import agent
from bridge.agent_source import digest
from bridge.errors import AgentError, BoardReset, NotNodeMCU
from bridge.repl import Repl
from bridge.virtual import clock
from tests.virtual_link import virtual_port


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("modules", ["net,node,ow,tmr,uart", "net,node,tmr,uart"])
@pytest.mark.parametrize("echo", [True, False])
def test_the_agent_starts_on_every_kind_of_firmware(lua: str, modules: str, echo: bool) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua, modules=modules, echo=echo) as port:
            link = await agent.start(port, rng=random.Random(1))
            facts = link.facts
            assert (facts.lua, facts.number, facts.digest) == (lua, "float", digest())
            assert facts.check == ("crc" if "ow" in modules else "sum")
            assert set(modules.split(",")) <= set(facts.modules)
            assert facts.heap_before > facts.heap_after > 15_000
            assert await link.run_lua("return ...", b"\0\xff", 5) == (b"\0\xff", 5)
            await link.close()

    clock.run(main())


def test_opening_does_not_reset_and_a_stale_agent_is_replaced() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            first = await agent.start(port, rng=random.Random(1))
            await first.run_lua("kept = 5")
            # Its host has died: nobody takes leave of that agent.
            first.session.close()
            second = await agent.start(port, rng=random.Random(2))
            assert second.epoch != first.epoch
            assert await second.run_lua("return kept") == (5,)
            await second.close()
            third = await agent.start(port, rng=random.Random(3))
            assert await third.run_lua("return kept") == (5,)

    clock.run(main())


@pytest.mark.parametrize("missing", ["tmr", "uart"])
def test_a_firmware_without_what_is_needed_is_refused(missing: str) -> None:
    async def main() -> None:
        modules = ",".join(name for name in ("net", "node", "ow", "tmr", "uart") if name != missing)
        async with virtual_port(modules=modules) as port:
            with pytest.raises(AgentError, match=f"no module {missing}") as caught:
                await agent.start(port)
            assert caught.value.remedy
            await agent.stop(port)  # the prompt is whole
            repl = Repl(port)
            assert await repl.line("=_nb") == b"nil"

    clock.run(main())


def test_a_dead_port_is_told_in_time_and_given_back() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            port.board.chip.power_off()
            with pytest.raises(NotNodeMCU, match="Nothing answers"):
                await agent.start(port)
            heard: list[bytes] = []
            port.set_receiver(heard.append)

    clock.run(main())


def test_console_text_of_the_bootstrap_stays_inside() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            heard: list[bytes] = []
            link = await agent.start(port, on_console=heard.append)
            await link.run_lua("print('mine')")
            await asyncio.sleep(0.2)
            assert b"".join(heard) == b"mine\r\n"

    clock.run(main())


@pytest.mark.parametrize("seconds", [0.3, 0.76, 0.78, 0.79, 0.8])
def test_a_restart_meanwhile_is_told_soon_and_it_can_be_started_again_at_once(seconds: float) -> None:
    async def main() -> None:
        async with virtual_port() as port:
            await port.board.answered()
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, port.board.reset)
            began = loop.time()
            with pytest.raises(BoardReset):
                await agent.start(port, rng=random.Random(1))
            assert loop.time() - began < seconds + 1.1
            link = await agent.start(port, rng=random.Random(2))
            assert link.facts.boot_reason == (2, 6)

    clock.run(main())


@pytest.mark.parametrize("modules", ["net,node,ow,tmr,uart", "node,tmr,uart"])
@pytest.mark.parametrize("faults", [{}, {"drop": 0.005, "flip": 0.005, "seed": 2}], ids=["clean", "bad"])
def test_it_starts_on_a_2x_and_leaves_it_as_it_was(modules: str, faults: dict[str, float]) -> None:
    async def main() -> None:
        async with virtual_port(firmware="2.2.1", modules=modules, **faults) as port:
            heard: list[bytes] = []
            link = await agent.start(port, rng=random.Random(1), on_console=heard.append)
            assert (link.facts.lua, link.facts.modules) == ("5.1", tuple(modules.split(",")))
            assert link.facts.heap_before > link.facts.heap_after > 15_000
            await link.run_lua("print('mine')")
            assert await link.run_lua("return ...", bytes(range(256)), 5, timeout=60) == (bytes(range(256)), 5)
            await asyncio.sleep(2)
            assert faults or b"".join(heard) == b"mine\r\n"
            await link.close()
            repl = Repl(port)
            await repl.sync()
            assert faults or (await repl.line("=_nb"), await repl.line("=6*7")) == (b"nil", b"42")

    clock.run(main())


def test_on_a_2x_frames_leave_no_sooner_than_what_came_is_read() -> None:
    async def main() -> None:
        async with virtual_port(firmware="2.2.1") as port:
            link = await agent.start(port, rng=random.Random(1))
            port.board.statistics.reset()
            chunk = random.Random(2).randbytes(1400)

            async def echo() -> None:
                for _ in range(5):
                    assert await link.call("string.reverse", chunk, timeout=60) == (chunk[::-1],)

            await asyncio.gather(echo(), echo(), echo())
            assert port.board.statistics.ring_bytes_lost == 0
            await link.close()

    clock.run(main())


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.5, 0.7, 0.75, 0.8])
def test_a_restart_of_a_2x_meanwhile_is_told_too(seconds: float) -> None:
    async def main() -> None:
        async with virtual_port(firmware="2.2.1") as port:
            await port.board.answered()
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, port.board.reset)
            began = loop.time()
            with pytest.raises(BoardReset):
                await agent.start(port, rng=random.Random(1))
            assert loop.time() - began < seconds + 1.1
            await agent.start(port, rng=random.Random(2))

    clock.run(main())
