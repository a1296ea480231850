"""No text of the host becomes Lua code: hostile strings as values, names, file names, hosts and events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BridgeError, UsageError
from tests.campaigns.kept_board import KeptBoard, kept_board
from tests.campaigns.stage import BUILDS
from tests.variants import by_night

#: Each would set the canary if any of it were ever compiled where a value or a name stands.
ATTACK = "CANARY='dead'"
#: The same as an expression.
CALL = "(function() CANARY='dead' end)()"
PIECES = [
    ATTACK, f'"{ATTACK}--', f"'{ATTACK}--", f"]] {ATTACK} --", f"]==] {ATTACK} --[==[",
    f"\n{ATTACK}\n", f"\r{ATTACK}\r",
    f"\0{ATTACK}\0", f") {ATTACK} (", f"; {ATTACK} ;", f" end {ATTACK} do ", f"\\\"{ATTACK}", f"\\'{ATTACK}", "\\", '"',
    "'", "]]", "--", "--[[", "\0", "\n", "\r", "\r\n", "..", ":", "(", ")", "{", "}", "=", "%s", "%",
    "\x1b", "\x7f", "\xff",
    CALL, f"node.x or {CALL}", f"x,{CALL}", f"x[{CALL}]", "rawset(_G,'CANARY','dead')", "_G", "agent",
    "a.b", "node.restart()", f"x or ({ATTACK})", "é", "\u2028", "x" * 70,
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), min_size=1, max_size=4).map("".join)


@pytest.fixture(scope="module", params=by_night(BUILDS, but=["5.3"]))
def bench(request: pytest.FixtureRequest) -> Iterator[KeptBoard]:
    with kept_board(**BUILDS[request.param]) as board:
        board.run(board.board.exec("CANARY = 'alive'"))
        yield board


async def attempt(bench: KeptBoard, text: str) -> None:
    """Everything that takes a text of the user's; each either works or fails by itself."""
    board = bench.board
    carried = text.encode("utf-8", "surrogatepass")
    assert await board.eval("...", text) == carried
    assert await board.eval("(...)[1]", [text]) == carried
    assert await board.eval("next(...)", {text: 1}) == (carried, 1)

    async def expect_failure_or_value(work: Any) -> None:
        try:
            await work
        except BridgeError:
            pass

    for path in (text, f"{text}.heap", f"node.{text}"):
        name = board.lua
        try:
            for part in path.split("."):
                name = getattr(name, part)
        except AttributeError:
            continue
        if not path.strip("_").startswith("node.restart"):
            await expect_failure_or_value(name(1))
            await expect_failure_or_value(name.get())
    timer = await board.lua.tmr.create()
    try:
        method = getattr(timer, text)
    except AttributeError:
        pass
    else:
        await expect_failure_or_value(method(1))
    if not text.isidentifier():
        with pytest.raises(UsageError):
            timer[text]
        with pytest.raises(UsageError):
            board.lua[text]
    await expect_failure_or_value(timer.on(text, print))
    with pytest.raises(BridgeError):
        board.on(text, print)
    await timer.release()
    await expect_failure_or_value(board.lua.file.exists(text))
    await expect_failure_or_value(board.lua.file.open(text, "r"))
    socket = await board.net.createConnection()
    with pytest.raises(BridgeError):
        socket.on(text, print)
    for port in (text, 0, -1, 65536, 1 << 20, 1.5, None, b"80", [80]):
        await expect_failure_or_value(board.lua.net.createUDPSocket(port))
    await expect_failure_or_value(socket.dns(text))
    await expect_failure_or_value(socket.connect(80, text))
    await expect_failure_or_value(socket.ttl(text))  # type: ignore[arg-type]
    await expect_failure_or_value(socket.release())
    await expect_failure_or_value(board.net.dns.setdnsserver(text))
    await expect_failure_or_value(board.net.multicastJoin(text, text))
    server = await board.net.createServer()
    await expect_failure_or_value(server.listen(8080, text, lambda socket: None))
    await server.release()
    udp = await board.net.createUDPSocket()
    await expect_failure_or_value(udp.send(9, text, text))
    await udp.release()


def check(bench: KeptBoard, examples: int) -> None:
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(HOSTILE)
    def hostile(text: str) -> None:
        bench.run(attempt(bench, text))
        assert bench.run(bench.board.eval("CANARY")) == b"alive"

    hostile()
    for text in PIECES:
        bench.run(attempt(bench, text))
        assert bench.run(bench.board.eval("CANARY")) == b"alive", text
    assert bench.run(bench.board.eval("CANARY")) == b"alive"
    assert bench.board.last_reset is None and bench.errors == []


def test_hostile_texts_stay_texts(bench: KeptBoard) -> None:
    check(bench, 15)


@pytest.mark.nightly
def test_very_many_hostile_texts_stay_texts(bench: KeptBoard) -> None:
    check(bench, 2000)
