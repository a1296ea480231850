"""bridge/rack/recover.py: on virtual boards, in this process and behind RFC 2217."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import PlaceFailed
from bridge.rack import recover
from bridge.rack.health import failures, quarantined
from bridge.rack.model import Place, Power, PowerCommands, RackFile
from bridge.rack.rack import Rack
from bridge.rack.recover import known_state
from tests.board_process import announced, board_process

FAST = "virtual:?baud_pacing=0&cpu=0"


def rack(folder: Path, url: str, **power: object) -> Rack:
    place = Place(name="shelf-1", port=url, power=Power(**power))  # type: ignore[arg-type]
    return Rack(RackFile(version=1, places=[place]), folder=folder)


def test_a_board_that_is_fit_stays_open_and_one_that_holds_memory_is_opened_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await rack(tmp_path, FAST).claim() as lease:
            board = await known_state(lease, folder=tmp_path)
            assert lease.heap is not None
            assert await known_state(lease, board, folder=tmp_path) is board
            await board.exec("kept = string.rep('x', 3000)")
            fresh = await known_state(lease, board, folder=tmp_path)
            assert fresh is not board
            assert await fresh.eval("node.heap()") > lease.heap - recover.NEAR
            await fresh.close()

    asyncio.run(scenario())


def test_a_board_that_hangs_is_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "_ANSWER_S", 0.5)
    monkeypatch.setattr(recover, "_CLOSE_S", 1.0)
    monkeypatch.setattr(recover, "_OPEN_S", 8.0)

    async def scenario(url: str) -> None:
        async with await rack(tmp_path, url).claim() as lease:
            board = await known_state(lease, folder=tmp_path)
            hanging = asyncio.ensure_future(board.exec("while true do end"))
            await asyncio.sleep(0.2)  # it cannot tell that it hangs
            fresh = await known_state(lease, board, folder=tmp_path)
            await asyncio.wait([hanging])
            assert hanging.exception() is not None
            assert await fresh.eval("1+1") == 2
            await fresh.close()

    # Its watchdog would reset it by itself, later.
    with board_process("--rfc2217", "127.0.0.1:0", "--no-baud-pacing") as process:
        asyncio.run(scenario(announced(process)[1]))
    assert failures(Place(name="shelf-1", port="x"), folder=tmp_path) == ()


def test_one_that_does_not_come_back_is_noted_with_what_was_tried_and_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blank chip answers nothing."""
    monkeypatch.setattr(recover, "_OPEN_S", 0.3)
    url = "virtual:?blank=1&flash_size=1048576&cpu=0"
    command = PowerCommands(cycle=[sys.executable, "-c", "raise SystemExit(4)"])
    made = rack(tmp_path, url, command=command)

    async def scenario() -> None:
        async with await made.claim() as lease:
            for number in range(3):
                with pytest.raises(PlaceFailed) as caught:
                    await known_state(lease, folder=tmp_path)
                text = str(caught.value)
                assert "as it is: no agent within 0.3 s; after a reset: no agent" in text
                assert "failed (exit code 4)" in text
                assert ("quarantined since" in text) == (number == 2)

    asyncio.run(scenario())
    found = quarantined(made.places[0], folder=tmp_path)
    assert found is not None and "after a power cycle" in found.failures[0].what


def test_what_a_board_printed_that_restarts_for_ever_is_kept_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recover, "_OPEN_S", 3.0)
    init = """print('brown-out, pwd="hunter2222", by correct-horse') node.restart()"""

    async def scenario(url: str, button: Callable[[], None]) -> None:
        made = rack(tmp_path, url, reset="none")
        async with await made.claim() as lease:
            of_old, lease.discreet = lease.discreet, lambda text: of_old(text).replace("correct-horse", "*************")
            async with lease.open_board() as board:
                await board.exec("file.putcontents('init.lua', ...)", init)
            button()
            with pytest.raises(PlaceFailed):
                await known_state(lease, folder=tmp_path)
        [found] = failures(made.places[0], folder=tmp_path)
        assert found.port == url and 'brown-out, pwd="**********", by *****' in found.console

    with board_process("--rfc2217", "127.0.0.1:0", "--no-baud-pacing", "--cpu", "0") as process:
        asyncio.run(scenario(announced(process)[1], lambda: process.send_signal(signal.SIGUSR1)))
    kept = [path.read_text() for path in tmp_path.iterdir() if path.is_file()]
    assert not any(secret in text for secret in ("hunter2222", "correct-horse") for text in kept)
