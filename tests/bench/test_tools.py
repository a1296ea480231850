from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bridge.bench import tools
from bridge.bench.plan import Row
from bridge.bench.tools import Tool, parse_tools, upload_by_agent, upload_by_tool
from bridge.errors import BridgeError, UsageError
from tests.bench.opened_rig import LITTLE, ROW, little_plan

DATA = little_plan().rng("file").randbytes(LITTLE.upload)


@pytest.mark.parametrize("row", [ROW, Row(921_600, 1.0)], ids=str)
def test_nodemcu_uploader_uploads(row: Row) -> None:
    figures = asyncio.run(upload_by_tool("nodemcu-uploader", little_plan(), row, DATA))
    assert 0 < figures.rate < row.baud / 10 and figures.seconds > 0 and figures.start_seconds > 0


def test_the_agent_uploads_to_the_same_kind_of_board() -> None:
    written, whole = asyncio.run(upload_by_agent(little_plan(), Row(921_600, 1.0), DATA))
    assert whole > written.seconds > written.write_seconds > len(DATA) / 92_160


def test_what_is_no_program_is_named() -> None:
    with pytest.raises(UsageError, match="esptool is not a program this knows"):
        parse_tools("nodemcu-uploader,esptool")
    assert parse_tools("nodemcu-uploader, nodemcu-uploader") == ("nodemcu-uploader",)


def test_a_program_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_CHECKOUT", tmp_path)
    with pytest.raises(UsageError, match="nodemcu-tool is not on this machine"):
        parse_tools("nodemcu-tool")


def test_a_program_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(path: str, baud: int, file: str) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit('no such board')"]

    monkeypatch.setitem(tools.TOOLS, "failing", Tool(failing, True))
    with pytest.raises(BridgeError, match="failing failed: no such board"):
        asyncio.run(upload_by_tool("failing", little_plan(), ROW, DATA))


def test_a_program_that_uploads_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def idle(path: str, baud: int, file: str) -> list[str]:
        return [sys.executable, "-c", ""]

    monkeypatch.setitem(tools.TOOLS, "idle", Tool(idle, True))
    with pytest.raises(BridgeError, match="idle wrote a file that is not the one it was given"):
        asyncio.run(upload_by_tool("idle", little_plan(), ROW, DATA))
