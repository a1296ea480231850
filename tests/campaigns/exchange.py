"""What goes over the line in a campaign: numbered messages each way, and what became of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bridge.agent_source import ROOMS, digest, room
from bridge.errors import BridgeError
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec
from bridge.wire.messages import ONCE, Call, Event, Hello, Invoke, Message, Reply, Source
from bridge.wire.values import Callback
from tests.campaigns.world import LuaBoard, Mix, PythonBoard, World

EPOCH = 0xBEEF
#: Seconds after which a session that neither delivers nor fails has hung. The session's own limit is `MAX_TRIES`
#: transmissions of one frame, none more than `MAX_WAIT` after the one before.
PATIENCE = 400.0


@dataclass(frozen=True)
class Outcome:
    """What became of an exchange."""

    delivered: bool
    error: BridgeError | None
    seconds: float
    world: World


def chunks_of(sizes: list[int], seed: int) -> list[bytes]:
    """Bytes to send; all values, and many of those that frames must not hold."""
    rng = random.Random(seed)
    return [rng.randbytes(n) if n % 3 else bytes(rng.choice(b"\0\r\n\x01\x02%") for _ in range(n)) for n in sizes]


def expect(world: World, wanted: list[Message], got: list[Message]) -> Outcome:
    """Run until everything is here; whatever came must be the beginning of what was wanted, in order, once."""
    done = world.run_until(lambda: len(got) >= len(wanted), PATIENCE)
    if done:  # what comes too much must not come later either
        world.run_until(lambda: False, 1.0)
    assert got == wanted[: len(got)], "lost, doubled, invented or out of order"
    assert done or world.failed, f"neither delivered nor failed within {PATIENCE} s"
    assert all(isinstance(error, BridgeError) for error in world.failed)
    return Outcome(done, world.failed[0] if world.failed else None, world.now, world)


def with_python(to_board: Mix, to_host: Mix, sizes: list[int], seed: int, latency: float = 0.001) -> Outcome:
    """Calls and answers, and events of the board's own, with the Python session at its end."""
    codec = Codec(CheckKind.CRC, EPOCH)
    board = PythonBoard(codec)
    world = World(board, codec, to_board=to_board, to_host=to_host, seed=seed, latency=latency)
    board.session.send(Hello(b"campaign"), 0.0)
    chunks = chunks_of(sizes, seed)
    wanted: list[Message] = [Hello(b"campaign")]
    for number, chunk in enumerate(chunks, 1):
        wanted += [Event(number, 4, (chunk[::-1],)), Reply(number, (chunk,))]
        world.send(Call(71, number, (chunk,)))

    def answer(message: Message, now: float) -> None:
        assert isinstance(message, Call)
        (chunk,) = message.values
        board.session.send(Event(message.call_id, 4, (chunk[::-1],)), now)
        board.session.send(Reply(message.call_id, (chunk,)), now)

    board.answer = answer
    outcome = expect(world, wanted, world.got)
    calls = [Call(71, number, (chunk,)) for number, chunk in enumerate(chunks, 1)]
    assert board.got == calls[: len(board.got)]
    assert not board.failed or all(isinstance(error, BridgeError) for error in board.failed)
    return outcome


def with_lua(
    version: str, kind: CheckKind, to_board: Mix, to_host: Mix, sizes: list[int], seed: int, latency: float = 0.001
) -> Outcome:
    """Calls that come back, and calls of a host function by Lua, with the agent at the board's end."""
    codec = Codec(kind, EPOCH)
    board = LuaBoard(codec, version)
    world = World(board, codec, to_board=to_board, to_host=to_host, seed=seed, latency=latency)
    define(world)
    wanted: list[Message] = [Hello(digest().encode(), (40000, b"Lua " + version.encode()))]
    for number, chunk in enumerate(chunks_of(sizes, seed), 1):
        wanted += [Invoke(7, (number, chunk[::-1])), Reply(number, (number, chunk))]
        world.send(Call(71, number, (number, chunk)))
    outcome = expect(world, wanted, world.got)
    assert board.firmware.errors == []
    return outcome


def define(world: World) -> None:
    """Put the room for values on the board, and function 71: it calls host function 7 and returns its arguments."""
    for name in (*ROOMS["values"], "values"):
        world.send(Source(room(name)))
        world.send(Call(ONCE, 0))
    world.send(Source(b"local g=... function F(n,s) g(n,s:reverse()) return n,s end"))
    world.send(Call(0, 0, (Callback(7),)))
    world.send(Source(b"return F"))
