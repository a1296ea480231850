from __future__ import annotations

import pytest

from bridge.errors import FileError
from bridge.files.digest import digest
from bridge.files.digester import Digester
from tests.campaigns.kept_board import KeptBoard
from tests.files.conftest import BUILDS

SIZES = (0, 1, 2, 1023, 1024, 1025, 3072, 3073, 4096, 9999)


@pytest.mark.parametrize("build", BUILDS)
def test_the_board_computes_the_same(builds: dict[str, KeptBoard], build: str) -> None:
    kept, kind = builds[build], build.partition(",")[0]
    board, digester = kept.board, Digester()

    async def scenario() -> None:
        table = await board._current()
        for size in SIZES:
            data = (bytes(range(256)) * 40)[size % 7 :][:size]
            await board.file.putcontents("a", data)
            assert await digester.digest(table, b"a", size) == (kind, digest(kind, data))
        await digester.let_go()

    kept.run(scenario())


def test_what_takes_heap_goes(kept: KeptBoard) -> None:
    board, digester = kept.board, Digester()

    async def heap() -> int:
        await board.exec("collectgarbage()")
        return await board.node.heap()

    async def scenario() -> None:
        table = await board._current()
        await board.file.putcontents("a", b"x" * 5000)
        await digester.digest(table, b"a", 5000)
        await digester.let_go()
        before = await heap()
        for _ in range(5):
            await digester.digest(table, b"a", 5000)
            await digester.let_go()
        assert await heap() > before - 100
        await digester.let_go()  # again does nothing

    kept.run(scenario())


def test_a_file_that_is_not_there_or_is_another(kept: KeptBoard) -> None:
    board, digester = kept.board, Digester()

    async def scenario() -> None:
        table = await board._current()
        with pytest.raises(FileError, match="did not read nosuch to its end"):
            await digester.digest(table, b"nosuch", 5000)
        await board.file.putcontents("a", b"x" * 50_000)
        for size in (10_000, 90_000):
            with pytest.raises(FileError, match="did not read a to its end"):
                await digester.digest(table, b"a", size)
        assert await digester.holds(table, b"a", b"x" * 50_000)
        assert not await digester.holds(table, b"a", b"x" * 49_999 + b"y")
        await digester.let_go()

    kept.run(scenario())
