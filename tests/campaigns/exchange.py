"""What goes over the line in a campaign: numbered messages each way, and what became of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bridge.agent_source import FIRST_FRAGMENT, ROOMS, digest, room
from bridge.errors import BridgeError, LinkError
from bridge.wire.check import CheckKind
from bridge.wire.frame import OVERHEAD, Codec
from bridge.wire.messages import ONCE, Call, Event, Hello, Invoke, Message, Reply, Source
from bridge.wire.quality import LineQuality
from bridge.wire.session import STUCK_SECONDS, State
from bridge.wire.values import Callback
from tests.campaigns.world import LuaBoard, Mix, PythonBoard, World

EPOCH = 0xBEEF
#: Seconds after which a campaign stops looking at a line that is terribly slow.
PATIENCE = 300.0
#: Seconds without progress after which a session that has not failed hangs: `STUCK_SECONDS`, and time to notice.
HANGS = STUCK_SECONDS + 10.0
#: What `bridge.agent.start` grants the agent's first message.
OPENING_SECONDS = 30.0


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
    done = False
    progress, since = world.progress(), 0.0
    while not done and not world.failed and world.now < PATIENCE:
        if world.host.state is State.OPENING and world.now >= OPENING_SECONDS:
            break  # the bootstrap, whose deadline this is, gives up
        done = world.run_until(lambda: len(got) >= len(wanted), 5.0)
        if world.progress() != progress:
            progress, since = world.progress(), world.now
        assert world.failed or world.now < since + HANGS, f"neither progress nor an error since {since:.0f} s"
    if done:  # what comes too much must not come later either
        world.run_until(lambda: False, 1.0)
    assert got == wanted[: len(got)], "lost, doubled, invented or out of order"
    assert all(isinstance(error, LinkError) for error in world.failed)
    return Outcome(done, world.failed[0] if world.failed else None, world.now, world)


def bootstrapped(to_board: Mix, to_host: Mix, known: bool) -> float:
    """The share of damaged bytes that the bootstrap saw: that of this line, or of a line that was good until now."""
    shares = [mix.drop + mix.flip + mix.duplicate for mix in (to_board, to_host)]
    return min(max(*shares, 0.0002), 0.05) if known else 0.0005


def with_python(
    to_board: Mix, to_host: Mix, sizes: list[int], seed: int, latency: float = 0.001, known: bool = False
) -> Outcome:
    """Calls and answers, and events of the board's own, with the Python session at its end."""
    codec = Codec(CheckKind.CRC, EPOCH)
    damage = bootstrapped(to_board, to_host, known)
    board = PythonBoard(codec, damage)
    world = World(board, codec, to_board=to_board, to_host=to_host, seed=seed, latency=latency, damage=damage)
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
    version: str,
    kind: CheckKind,
    to_board: Mix,
    to_host: Mix,
    sizes: list[int],
    seed: int,
    latency: float = 0.001,
    known: bool = False,
) -> Outcome:
    """Calls that come back, and calls of a host function by Lua, with the agent at the board's end."""
    codec = Codec(kind, EPOCH)
    damage = bootstrapped(to_board, to_host, known)
    # As bridge.agent chooses it.
    fragment = LineQuality(OVERHEAD + 1, damage).best_size(FIRST_FRAGMENT) - OVERHEAD
    board = LuaBoard(codec, version, fragment=fragment)
    world = World(board, codec, to_board=to_board, to_host=to_host, seed=seed, latency=latency, damage=damage)
    define(world)
    wanted: list[Message] = [Hello(digest().encode(), (40000, b"Lua " + version.encode()))]
    for number, chunk in enumerate(chunks_of(sizes, seed), 1):
        wanted += [Invoke(7, 0, (number, chunk[::-1])), Reply(number, (number, chunk))]
        world.send(Call(71, number, (number, chunk)))
    outcome = expect(world, wanted, world.got)
    assert board.firmware.errors == []
    return outcome


def define(world: World) -> None:
    """Put the room for values on the board, and function 71: it calls host function 7 and returns its arguments."""
    for name in (*ROOMS["values"], "values"):
        for piece in room(name):
            world.send(Source(piece))
            world.send(Call(ONCE, 0))
    world.send(Source(b"local g=... function F(n,s) g(n,s:reverse()) return n,s end"))
    world.send(Call(0, 0, (Callback(7),)))
    world.send(Source(b"return F"))
