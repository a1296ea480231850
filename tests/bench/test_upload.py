from __future__ import annotations

import pytest

from bridge.bench.process import without_flash_cost
from bridge.bench.rig import Rig
from bridge.bench.upload import FILE, measure_upload
from bridge.board import Board
from bridge.errors import FileSystemFull
from bridge.files import Written
from bridge.virtual.options import VirtualOptions
from tests.bench.opened_rig import little_plan, on_a_rig

WITHOUT_CRYPTO = "virtual:?modules=file,net,node,ow,tmr,uart,wifi"
DATA = bytes(range(256)) * 12 + b"\r\n\n\r\0end"


@pytest.mark.parametrize("url", ["virtual:", WITHOUT_CRYPTO])
def test_a_file_arrives_and_is_taken_away(url: str) -> None:
    async def scenario(rig: Rig, board: Board) -> Written:
        written = await measure_upload(board, DATA)
        assert await board.lua.file.list() in ({}, [])
        return written

    written = on_a_rig(scenario, little_plan(url))
    assert written.seconds > written.write_seconds > len(DATA) / 11_520
    assert (written.size, written.digest) == (len(DATA), "sha256" if url == "virtual:" else "crc16")


#: Fills the file system, some at a time so that no task takes long; true when there is no room left.
FILL = """
local f = file.open("rest", "a")
local s = ("x"):rep(1000)
for _ = 1, 40 do
  if not f:write(s) then f:close() return true end
end
f:close()
return false
"""


def test_a_full_file_system_is_one_sentence() -> None:
    async def scenario(rig: Rig, board: Board) -> None:
        while not await board.exec(FILL):
            pass
        with pytest.raises(FileSystemFull, match="file system"):
            await measure_upload(board, DATA)
        assert FILE.encode() not in await board.lua.file.list()

    with without_flash_cost(VirtualOptions()) as options:
        url = f"virtual:?flash_size=1048576&cpu=0&baud_pacing=no&calibration={options.calibration}"
        on_a_rig(scenario, little_plan(url))
