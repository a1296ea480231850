"""Objects are made a few at a time, and those that nobody waits for any more are let go."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LinkTimeout
from bridge.mirror.making import AT_ONCE
from bridge.wire.values import Handle, Value
from tests.mirror.caller import make_table, settle


def test_what_is_given_up_counts_until_it_is_let_go() -> None:
    async def main() -> None:
        caller, table, _ = make_table()
        answers: list[asyncio.Future[tuple[Value, ...]]] = []

        async def answered() -> tuple[Value, ...]:
            answers.append(asyncio.get_running_loop().create_future())
            return await answers[-1]

        caller.replies["@net.udp"] = lambda: answered()
        asking = [asyncio.ensure_future(table.making.make("@net.udp")) for _ in range(3 * AT_ONCE)]
        await settle()
        assert len(answers) == AT_ONCE
        for task in asking[:AT_ONCE]:
            task.cancel()
        await settle()
        assert len(answers) == AT_ONCE, "the board still makes those that were given up"
        for number, answer in enumerate([*answers]):
            answer.set_result((Handle(number),))
        await settle()
        assert caller.released == [*range(AT_ONCE)] and len(answers) == 2 * AT_ONCE
        answers[-1].set_exception(LinkTimeout("no answer"))
        answers[-2].set_result((Handle(99),))
        await settle()
        with pytest.raises(LinkTimeout):
            await asking[2 * AT_ONCE - 1]
        assert await asking[2 * AT_ONCE - 2] == (Handle(99),) and len(answers) == 2 * AT_ONCE + 2
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        for number, answer in enumerate(answers):
            if not answer.done():
                answer.set_result((Handle(number),))
        await settle()
        assert len(caller.released) == 2 * AT_ONCE and 99 not in caller.released

    asyncio.run(main())
