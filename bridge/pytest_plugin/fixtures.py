"""The fixtures. They import what they need when they are used: this module is loaded in every run of pytest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from bridge.pytest_plugin.failing import failed

if TYPE_CHECKING:
    from bridge import Board, sync
    from bridge.pytest_plugin.credentials import Wifi
    from bridge.pytest_plugin.leased import LeasedBoard
    from bridge.pytest_plugin.session import BoardSession
    from bridge.rack.rack import Rack

_BOTH = "A test asks for `board` or for `boards`, not for both: two who wait for one another get none."
_UNSEEN = (
    "This test gets a board only as it runs, so that nobody would look at it afterwards. "
    "Name the fixture among its arguments, or in a mark: @pytest.mark.usefixtures('board')."
)
_TWICE = "A test asks for its boards once: who holds some and waits for more may wait for ever."


def boards_of(request: pytest.FixtureRequest) -> BoardSession:
    """The boards of this process; bad options fail the test by their sentence."""
    from bridge.pytest_plugin.asking import uses_boards
    from bridge.pytest_plugin.start import session_of

    if not uses_boards(request.node):
        raise failed(_UNSEEN)
    try:
        return session_of(request.config)
    except pytest.UsageError as error:
        raise failed(str(error)) from None


@pytest.fixture
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    """A board that is clean, for this test alone; it is looked at afterwards."""
    session = boards_of(request)
    if "boards" in request.fixturenames:
        raise failed(_BOTH)
    leased = session.begin(request.node)
    yield leased[0].board
    session.end(request.node, leased)


@pytest.fixture
def sync_board(board: Board) -> sync.Board:
    """The same board without `await`, for tests that are no coroutines."""
    from bridge import sync
    from bridge.portal import portal

    face = sync.Board(board)
    portal().forget(board.close)  # it is not this test's to close
    return face


@pytest.fixture
def boards(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Awaitable[tuple[Board, ...]]]]:
    """`one, two = await boards(2)`: several boards at once, all or none; once in a test."""
    session = boards_of(request)
    taken: list[LeasedBoard] = []

    async def lease(count: int) -> tuple[Board, ...]:
        if taken:
            raise failed(_TWICE)
        if not isinstance(count, int) or count < 1:
            raise failed(f"A test asks for a number of boards, not {count!r}: one, two = await boards(2)")
        taken.extend(await session.begin_there(request.node, count))
        return tuple(each.board for each in taken)

    yield lease
    if taken:
        session.end(request.node, taken)


@pytest.fixture
def rack(request: pytest.FixtureRequest) -> Rack:
    """The rack of this run: `async with await rack.claim() as lease`. Nothing of it is held by this process itself."""
    session = boards_of(request)
    session.let_go()
    return session.rack


@pytest.fixture
def wifi(request: pytest.FixtureRequest) -> Wifi:
    """The network that boards may join; the test is skipped where none is known."""
    from bridge.pytest_plugin.credentials import ABSENT

    found = boards_of(request).wifi
    if found is None:
        pytest.skip(ABSENT)
    return found


@pytest.fixture
def host_address(request: pytest.FixtureRequest, board: Board) -> str:
    """The address of this computer that the board can reach; skipped if it has joined no network."""
    from bridge.errors import NetError
    from bridge.peers.address import host_address

    try:
        return boards_of(request).run(host_address(board))
    except NetError as error:
        pytest.skip(str(error))


@pytest.fixture
def board_address(request: pytest.FixtureRequest, board: Board) -> str:
    """The board's own address; skipped if it has joined no network."""
    from bridge.errors import NetError
    from bridge.peers.address import board_address

    try:
        return boards_of(request).run(board_address(board))
    except NetError as error:
        pytest.skip(str(error))
