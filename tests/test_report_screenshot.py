"""The picture of the page in the documentation, and the script that makes it."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from bridge.rack_report import page
from scripts import report_screenshot
from tests.programs import require
from tests.rack_report.runs import made_run
from tests.test_layers import ROOT


def size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def test_the_picture_is_there_and_small() -> None:
    picture = (ROOT / "docs" / "images" / "rack-report.png").read_bytes()
    assert len(picture) <= report_screenshot.LARGEST and size(picture)[0] >= 1000


def test_a_picture_is_made_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("chromium")
    (tmp_path / "run.html").write_text(page(made_run(4, 20)), encoding="utf-8")
    arguments = ["--page", str(tmp_path / "run.html"), "--to", str(tmp_path / "made.png"), "--width", "500"]
    monkeypatch.setattr(sys, "argv", ["report_screenshot", *arguments, "--height", "400"])
    assert report_screenshot.main() == 0
    assert size((tmp_path / "made.png").read_bytes()) == (500, 400)


def test_one_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("chromium")
    (tmp_path / "run.html").write_text(page(made_run(4, 20)), encoding="utf-8")
    monkeypatch.setattr(report_screenshot, "LARGEST", 1000)
    monkeypatch.setattr(sys, "argv", ["x", "--page", str(tmp_path / "run.html"), "--to", str(tmp_path / "made.png")])
    with pytest.raises(SystemExit, match="make the window smaller"):
        report_screenshot.main()
    assert not (tmp_path / "made.png").exists()
