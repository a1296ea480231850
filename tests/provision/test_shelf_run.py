from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.provision.plan import Place
from bridge.provision.record import Records
from bridge.provision.shelf_run import provision_shelf
from tests.provision.plans import PLAN


def plans(count: int) -> list[object]:
    return [replace(PLAN, name=f"b{n}", place=Place(port=f"rfc2217://127.0.0.1:{n}")) for n in range(1, count + 1)]


def test_every_board_has_its_report_in_the_files_order(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []

    def tell(name: str, stage: str, fraction: float | None) -> None:
        told.append((name, stage))

    report = asyncio.run(
        provision_shelf(Path("shelf.yaml"), plans(3), Records(tmp_path), told=tell)  # type: ignore[arg-type]
    )
    assert [board.name for board in report.boards] == ["b1", "b2", "b3"] and not report.ready
    assert all(board.error is not None and "127.0.0.1" in board.error for board in report.boards)
    assert {name for name, stage in told if stage.startswith("failed")} == {"b1", "b2", "b3"}


def test_a_cancelled_run_ends_all_boards(tmp_path: Path) -> None:
    async def scenario() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()  # until the other end goes
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        url = f"rfc2217://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        begun = asyncio.Event()
        task = asyncio.create_task(
            provision_shelf(
                Path("x"), [replace(PLAN, place=Place(port=url))], Records(tmp_path), told=lambda *_: begun.set()
            )
        )
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert {getattr(each.get_coro(), "__name__", "") for each in left} <= {"silent"}
        async with asyncio.timeout(10):
            await asyncio.gather(*left)  # the port was given back

    asyncio.run(scenario())
