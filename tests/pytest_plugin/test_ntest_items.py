"""Files that run on a board as items: which there are, how they are chosen, and those of the firmware itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.pytest_plugin.ntest_runs import HEAD, MIXED, run_pytest


def test_one_of_them_by_name_from_elsewhere(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    (there / "NTest_mixed.lua").write_text(MIXED)
    run = run_pytest(here, "-v", f"{there}/NTest_mixed.lua::fails")
    assert [name for name in run.cases] == [("NTest_mixed.lua", "fails")], run.said
    assert "../there/NTest_mixed.lua::fails FAILED" in run.said


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_a_file_whose_name_is_no_text_runs_as_any_other(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """As of an archive of an older system."""
    (tmp_path / os.fsdecode(b"NTest_gr\xf6\xdfe.lua")).write_text(MIXED)
    run = run_pytest(tmp_path, *workers)
    assert sorted(case.outcome for case in run.cases.values()) == ["failure"] * 2 + ["passed"] * 4 + ["skipped"], (
        run.said
    )
    assert "INTERNALERROR" not in run.said and "Traceback" not in run.said


def test_what_a_file_wants_is_asked_of_its_board(tmp_path: Path) -> None:
    (tmp_path / "NTest_w.lua").write_text("-- board: modules=tmr,file flash=4194304\n" + MIXED)
    shown = run_pytest(tmp_path, "--collect-only", "-q", "-m", "board")
    assert "NTest_w.lua::fails" in shown.said and "5 tests collected" in shown.said
    (tmp_path / "NTest_w.lua").write_text("-- board: flash=much\n" + MIXED)
    shown = run_pytest(tmp_path, "--collect-only")
    assert "flash=much is no number of bytes" in shown.said and "Traceback" not in shown.said


def test_sub_tests_with_hard_names_are_items_of_their_own(tmp_path: Path) -> None:
    names = (r"two\nlines", "", r"umlaut \195\188", r"x\r\nTAP: Bail out!", "same", "same", "same (2)", "(whole file)")
    (tmp_path / "NTest_x.lua").write_text(
        HEAD + "".join(f'N.test("{name}", function() ok(true) end)\n' for name in names)
    )
    run = run_pytest(tmp_path, "NTest_x.lua")
    assert run.code == 0, run.said
    assert [name for _, name in run.cases] == [
        r"two\nlines", "(no name)", "umlaut \u00fc", r"x\r\nTAP: Bail out!",
        "same", "same (2)", "same (2) (2)", "(whole file) (2)", "(whole file)",
    ]  # fmt: skip


def test_a_file_whose_module_no_board_has_is_skipped_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "NTest_a.lua").write_text("-- board: modules=u8g2\n" + HEAD + 'N.test("x", function() ok(u8g2) end)\n')
    (tmp_path / "NTest_b.lua").write_text(HEAD + 'N.test("x", function() ok(true) end)\n')
    run = run_pytest(tmp_path, "-rs")
    assert run.code == 0 and "INTERNALERROR" not in run.said, run.said
    assert {name: case.outcome for name, case in run.cases.items()} == {
        ("NTest_a.lua", "x"): "skipped", ("NTest_a.lua", "(whole file)"): "skipped",
        ("NTest_b.lua", "x"): "passed", ("NTest_b.lua", "(whole file)"): "passed",
    }  # fmt: skip
    assert "NTest_a.lua:6: " in run.said, "where it stands"


def test_other_names_of_files(tmp_path: Path) -> None:
    (tmp_path / "device_x.lua").write_text(MIXED)
    shown = run_pytest(tmp_path, "--collect-only", "-q", "-o", "ntest_files=device_*.lua NTest_*.lua")
    assert "device_x.lua::fails" in shown.said


@pytest.mark.skipif("NODEMCU_FIRMWARE" not in os.environ, reason="NODEMCU_FIRMWARE names no checkout of the firmware")
@pytest.mark.parametrize("options", ["", "?lua=5.3", "?number=integer"])
def test_the_firmwares_own_files(tmp_path: Path, options: str) -> None:
    tests = Path(os.environ["NODEMCU_FIRMWARE"]) / "tests"
    files = [tests / f"NTest_{name}.lua" for name in ("tmr", "file", "lua")]
    run = run_pytest(tmp_path, *files, board=f"virtual:{options}")
    assert run.code == 0, run.said
    assert len(run.cases) == 7 + 17 + 1 + 3
    assert {case.outcome for case in run.cases.values()} == {"passed"}


@pytest.mark.skipif("NODEMCU_FIRMWARE" not in os.environ, reason="NODEMCU_FIRMWARE names no checkout of the firmware")
def test_the_firmwares_own_library(tmp_path: Path) -> None:
    tests = Path(os.environ["NODEMCU_FIRMWARE"]) / "tests"
    library = ("--ntest-library", tests / "NTest" / "NTest.lua")
    run = run_pytest(tmp_path, *library, tests / "NTest_tmr.lua")
    assert run.code == 0 and len(run.cases) == 8, run.said
    # Without LFS the two are too much, as its authors say.
    run = run_pytest(tmp_path, *library, tests / "NTest_file.lua")
    assert "not enough memory" in run.cases["NTest_file.lua", "(whole file)"].text
