"""What a program for sockets gets: goodput of one stream each way, and how long a question waits for its answer.

The peer acknowledges at once, as Linux does on young connections, or 40 ms late, as it does later. A question pays the
tick of the stack (lwIP's timer of 250 ms) whenever nothing else makes the stack send: the part of `send` that starts
from the host waits for it (app/modules/net.c calls no `tcp_output`).
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from bridge.bench.plan import Plan, Row
from bridge.bench.rig import PeerStream, Rig
from bridge.board import Board
from bridge.errors import LinkError

#: Seconds that the acknowledgements of a late peer wait.
LATE = 0.04
#: Bytes of a question and of its answer.
QUESTION = 100
#: Up to so many seconds pass between two questions, so that they fall everywhere between two ticks.
_SPREAD = 0.3


@dataclass(frozen=True)
class StreamFigures:
    """Of one kind of peer."""

    to_board: float
    """Payload that left, bytes per second."""
    to_host: float
    """Payload that came, bytes per second."""
    answers: tuple[float, ...]
    """Seconds from each question to its answer, in rising order."""

    def ticks(self, line: float) -> float:
        """The part of the questions that waited for the stack's tick.

        Args:
            line: bytes per second of the serial line. Without the tick a question takes what question and answer take
                on the line, four times over for what goes beside them, and a few milliseconds of the network.
        """
        free = 4 * 2 * QUESTION / line + 0.02
        return sum(seconds > free for seconds in self.answers) / len(self.answers)


async def measure_streams(rig: Rig, board: Board, plan: Plan, row: Row, ack_delay: float = 0.0) -> StreamFigures:
    """Move the plan's volume each way over `board.open_connection`, and ask questions.

    Args:
        rig, board: opened.
        plan, row: how much.
        ack_delay: seconds that the peer's acknowledgements wait, where the network can be told so.

    Raises:
        LinkError: what came is not what was sent.
        BridgeError: the board has no network.
    """
    loop = asyncio.get_running_loop()
    data = plan.rng("stream").randbytes(plan.volume(row))
    arrived: asyncio.Future[float] = loop.create_future()
    given: asyncio.Future[float] = loop.create_future()

    async def take(stream: PeerStream) -> None:
        got = b""
        while piece := await stream.read(65_536):
            got += piece
        if got == data:
            arrived.set_result(loop.time())
        else:
            arrived.set_exception(LinkError("What left the board is not what was written", port=board.url))

    async def give(stream: PeerStream) -> None:
        await stream.read(1)
        given.set_result(loop.time())
        stream.write(data)
        await stream.drain()

    async def echo(stream: PeerStream) -> None:
        while piece := await stream.read(65_536):
            stream.write(piece)

    async with rig.peer(board, take, ack_delay=ack_delay) as (port, host):
        _, writer = await board.open_connection(host, port)
        began = loop.time()
        writer.write(data)
        writer.close()
        await writer.wait_closed()
        to_board = len(data) / (await arrived - began)
    async with rig.peer(board, give, ack_delay=ack_delay) as (port, host):
        reader, writer = await board.open_connection(host, port)
        writer.write(b"?")
        if await reader.read() != data:
            raise LinkError("What came from the board is not what was sent", port=board.url)
        to_host = len(data) / (loop.time() - await given)
        writer.close()
    async with rig.peer(board, echo, ack_delay=ack_delay) as (port, host):
        reader, writer = await board.open_connection(host, port)
        answers = []
        spread = random.Random("between two ticks")  # the same in each run
        for at in range(plan.amounts.questions):
            await asyncio.sleep(spread.uniform(0, _SPREAD))
            question = data[at : at + QUESTION]
            began = loop.time()
            writer.write(question)
            if await reader.readexactly(QUESTION) != question:
                raise LinkError("An answer is not what was asked for", port=board.url)
            answers.append(loop.time() - began)
        writer.close()
        await writer.wait_closed()
    return StreamFigures(to_board, to_host, tuple(sorted(answers)))
