from __future__ import annotations

from bridge import insight
from bridge.board import Board
from bridge.virtual.board import VirtualBoard
from bridge.wire.messages import Message
from tests.test_board import on_a_board


class Heard:
    """The messages of a link, both ways."""

    def __init__(self) -> None:
        self.sent_messages: list[Message] = []
        self.came_messages: list[Message] = []

    def sent(self, message: Message, now: float) -> None:
        self.sent_messages.append(message)

    def came(self, message: Message, now: float) -> None:
        self.came_messages.append(message)


def test_what_a_board_holds_and_lets_go() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        start = insight.holdings(board)
        assert (start.rooms, start.shapes, start.handles) == (frozenset(), 0, ())
        timer = await board.lua.tmr.create()
        held = insight.holdings(board)
        assert held.epoch == start.epoch and {"objects", "values"} <= held.rooms and held.shapes > 0
        assert held.handles == (timer,)
        await timer.release()
        insight.spare(board)
        left = insight.holdings(board)
        assert left.rooms == {"objects"} and left.shapes == 0 and left.handles == ()
        await board.reset()
        assert insight.holdings(board).rooms == frozenset()

    on_a_board(scenario)


def test_messages_are_heard_from_then_on() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        heard = Heard()
        insight.hear(board, heard)
        await board.eval("1+1")
        kinds = [type(message).__name__ for message in heard.sent_messages]
        assert kinds == ["Source", "Source", "Call"] and type(heard.came_messages[-1]).__name__ == "Reply"

    on_a_board(scenario)


def test_a_chunk_has_the_name_that_the_board_has_for_all() -> None:
    async def scenario(board: Board, virtual: VirtualBoard) -> None:
        board.chunk_name = "t12"
        assert await board.exec("return select(2, pcall(error, 'x', 2))") == b"t12:1: x"
        assert await board.exec("return select(2, pcall(error, 'x', 2))", name="mine") == b"mine:1: x"

    on_a_board(scenario)
