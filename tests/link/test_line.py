import pytest

from bridge.errors import LinkTimeout, LuaError
from bridge.virtual import clock
from tests.virtual_link import virtual_link


def test_source_and_echoes_go_before_calls_that_wait() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            link._paused = True
            assert await link.line.once(b"return 7", 1.0) == 7
            assert await link.line.echo(b"\0\r\n data", 1.0) == b"\0\r\n data"
            await link.line.forget_echo(1.0)
            await link.line.forget_echo(1.0)
            with pytest.raises(LuaError):
                await link.line.once(b"error('no')", 1.0)
            with pytest.raises(LinkTimeout):
                await link.line.once(b"tmr.delay(2000000)", 1.0)
            await link.close()

    clock.run(main())


def test_moving_moves_the_port_and_the_session_and_leaving_moves_back() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            assert link.line.faster == 1
            await link.climb((460_800,))
            assert link.line.faster == 4 and link.line.baud == 460_800
            await link.close()
            assert link.line.faster == 1

    clock.run(main())
