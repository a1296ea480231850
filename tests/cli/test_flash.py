from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.invoke import invoke
from tests.images import image


def test_an_image_is_written_and_the_board_named(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, log, flash = tmp_path / "firmware.bin", tmp_path / "log", tmp_path / "flash"
    path.write_bytes(image("net,node,tmr,uart"))
    url = f"virtual:?baud_pacing=0&flash_file={flash}"
    code, out, _ = invoke(capfd, "flash", str(path), "--port", url, "--log", str(log), "--profile", "virtual")
    assert code == 0
    first, last = out.splitlines()
    assert first == "NodeMCU 3.0.0.0, Lua 5.1, modules net, node, tmr, uart"
    assert last.startswith(f"Wrote {path.stat().st_size} bytes to ESP8266EX") and url in last
    assert "Hash of data verified" in log.read_text()
    assert flash.read_bytes()[:16] == path.read_bytes()[:16]
