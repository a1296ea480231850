"""The agent's room for servers: the timeout reaches firmware of either age."""

from __future__ import annotations

import pytest

from bridge.agent_source import ROOMS, member, room
from bridge.wire.messages import Call, DirectCall, Reply, Source
from tests.agent.test_agent_lua import BOTH, answer, opened


@BOTH
@pytest.mark.parametrize(("ifinfo", "given"), [(b"print", (60, 60)), (b"nil", (1, 60))])
def test_the_timeout_stands_where_the_firmware_looks_for_it(
    version: str, ifinfo: bytes, given: tuple[int, int]
) -> None:
    both = opened(version, values=False)
    both.board.lua.execute(
        b"net = { TCP = 1, ifinfo = " + ifinfo + b", createServer = function(...) given = { ... } return {} end }"
    )
    for name in (*ROOMS["server"], "server"):
        for piece in room(name):
            both.send(Source(piece))
            assert answer(both, Call(253, 200)) == Reply(200, (None,))
    both.send(Source(member("net.server")))
    assert answer(both, DirectCall(20, 1, b"60")) == Reply(1, (1,))
    seen = both.board.lua.globals()[b"given"]
    assert (seen[1], seen[2]) == given, "3.x looks at the first argument alone, 2.x wants the type there"
