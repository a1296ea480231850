"""What is a leak and what is none, on a virtual board on the virtual clock."""

from __future__ import annotations

from bridge.board import Board
from bridge.pytest_plugin.leased import LeasedBoard
from tests.pytest_plugin.test_leased import kinds, on_a_leased_board


async def free(board: Board) -> int:
    return int(await board.exec("collectgarbage() collectgarbage() return node.heap()"))


def test_the_last_string_that_fits_no_more_is_nobodys_leak() -> None:
    def strings(first: int, last: int) -> str:
        return f"KEPT = {{KEPT}} for i = {first}, {last} do KEPT[i - {first} + 2] = 'kept-' .. i end"

    async def calls(board: Board) -> None:
        await board.eval("...", 1)

    async def scenario(leased: LeasedBoard) -> None:
        assert await kinds(leased, calls) == []
        before = await free(leased.board)
        for fit in range(0, 120, 2):
            await leased.board.exec(strings(fit, fit + 1))
            now = await free(leased.board)
            if before - now > 500:  # their table has doubled
                break
            before = now
        await leased.board.reset()
        await leased.board.exec(strings(0, fit - 5))
        assert await kinds(leased, calls) == []
        losses = []
        for count in range(fit - 4, fit + 4, 2):

            async def two_more(board: Board, source: str = strings(count, count + 1)) -> None:
                before = await free(board)
                await board.exec(source)
                losses.append(before - await free(board))

            assert await kinds(leased, two_more) == []
            if losses[-1] > 500:
                return
        raise AssertionError(f"it does not double here: {losses}")

    on_a_leased_board(scenario)


def test_what_several_tests_have_left_is_not_the_last_ones() -> None:
    def keeps(what: str) -> str:
        return f"KEPT = {{KEPT, {what}}} for i = 3, 7 do KEPT[i] = i end"  # less than 256 bytes

    async def little(board: Board) -> None:
        await board.exec(keeps("0"))

    async def little_with_values(board: Board) -> None:
        await board.exec(keeps("..."), 1)

    async def connects(board: Board) -> None:
        await (await board.net.createConnection()).release()

    async def much(board: Board) -> None:
        await board.exec("LEAK = {} for i = 1, 100 do LEAK[i] = i end")

    async def scenario(leased: LeasedBoard) -> None:
        for test in (connects, little, little_with_values, little, connects, little_with_values, little, connects):
            assert await kinds(leased, test) == []
        assert await kinds(leased, much) == ["heap"]

    on_a_leased_board(scenario)
