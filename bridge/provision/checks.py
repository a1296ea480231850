"""What must be true of a board at the end."""

from __future__ import annotations

import asyncio

from bridge.board import Board
from bridge.errors import AgentError, ConnectionLost, NetError
from bridge.image import ImageFacts
from bridge.provision.model import Connect
from bridge.provision.plan import Look


def check_firmware(look: Look, facts: ImageFacts, port: str) -> str:
    """The firmware that runs is that of the image, by what `node.info` tells. Returns the check in words.

    Raises:
        AgentError: it is another.
    """
    missing = sorted(set(facts.modules) - look.modules) if look.modules else []
    if missing or (look.version and facts.version and not facts.version.startswith(look.version)):
        what = f"lacks {', '.join(missing)}" if missing else f"is {look.version}, not {facts.version}"
        raise AgentError(
            f"The firmware that runs is not that of the image: it {what}", port=port, remedy="Run it with --verify."
        )
    return f"node.info: NodeMCU {look.version or facts.version}"


async def check_connect(board: Board, check: Connect) -> str:
    """The board reaches a host by TCP. Returns the check in words.

    Raises:
        NetError: it does not, with the board's reason.
    """
    where = f"{check.host}:{check.tcp_port}"
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int | None] = loop.create_future()

    def end(code: int | None) -> None:
        if not ended.done():
            ended.set_result(code)

    socket = await board.net.createConnection()
    try:
        socket.on("connection", lambda *_: end(None))
        socket.on("disconnection", lambda _socket, code=0: end(code))
        await socket.connect(check.tcp_port, check.host)
        async with asyncio.timeout(check.seconds):
            code = await ended
    except TimeoutError as error:
        raise NetError(
            f"{where} did not answer within {check.seconds:g} s",
            port=board.url,
            remedy="Check the host and the way to it.",
        ) from error
    finally:
        await socket.release()  # closes it too
    if code is not None:
        raise ConnectionLost(
            f"{where} could not be reached (code {code})",
            code=code,
            port=board.url,
            remedy="Check that the host listens there, and the way to it.",
        )
    return f"connect: {where}"
