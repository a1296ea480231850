from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bridge.bench.process import board_process, without_flash_cost
from bridge.errors import PortError
from bridge.opening import open_board
from bridge.virtual.cost import load_costs
from bridge.virtual.options import VirtualOptions


@pytest.mark.parametrize("rfc2217", [False, True])
def test_a_board_of_the_options_answers_in_another_process(rfc2217: bool) -> None:
    async def main() -> None:
        options = VirtualOptions(lua="5.3", baud_pacing=False, cpu=0.0)
        async with board_process(options, rfc2217=rfc2217) as url:
            assert url.startswith("rfc2217://") == rfc2217
            async with open_board(url) as board:
                assert await board.eval("_VERSION") == b"Lua 5.3"

    asyncio.run(main())


def test_a_process_that_does_not_start_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(PortError, match="cannot be read"):
            async with board_process(VirtualOptions(calibration=str(tmp_path / "none.json"))):
                pass

    asyncio.run(main())


def test_a_flash_that_writes_in_no_time_has_the_usual_cpu() -> None:
    usual = load_costs(None)
    with without_flash_cost(VirtualOptions(lua="5.3")) as options:
        assert options.lua == "5.3" and options.calibration is not None
        costs = load_costs(options.calibration)
        assert json.loads(Path(options.calibration).read_text())
    assert (costs.page_program_ms, costs.sector_erase_ms) == (0, 0)
    assert costs.instruction_us == usual.instruction_us
    assert not Path(options.calibration).exists()


def test_what_lies_in_the_working_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the working folder was run')\n")
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with board_process(VirtualOptions(cpu=0.0), rfc2217=True) as url:
            assert url.startswith("rfc2217://")

    asyncio.run(main())
