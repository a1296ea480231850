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
