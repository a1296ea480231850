"""`scripts/hil` from end to end, on virtual boards that stand for real ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.board_process import announced, board_process

ROOT = Path(__file__).parent.parent.parent
#: A few scenarios of each kind: banner, prompt, raw mode, restart, watchdog, files.
SOME = "repl_boot,uarton_n_raw,uarton_n0_raw,restart,file_init"
WITHOUT_OW = "adc,bit,crypto,encoder,file,gpio,net,node,pipe,sjson,struct,tls,tmr,uart,wifi"


def hil(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge.comparison", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def compared(report: Path, *arguments: str) -> dict[str, object]:
    run = hil("--report", str(report), *arguments)
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, object] = json.loads(report.with_suffix(".json").read_text())
    assert f"{len(found['differences'])} difference" in report.read_text()  # type: ignore[arg-type]
    return found


@pytest.mark.timeout(300)
def test_the_report_lists_exactly_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Some of tests/hil: all of it runs on other firmware in tests/test_hil_matrix.py, and takes minutes.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k 'test_values or test_node or test_wifi'")
    with board_process("--rfc2217", "127.0.0.1:0", "--lua", "5.3", "--no-echo", "--modules", WITHOUT_OW) as process:
        _, url = announced(process)
        report = compared(tmp_path / "report.md", "--port", url, "--scenarios", SOME)
    assert report["differences"] == [
        "Lua version: 5.3 (virtual board: 5.1)",
        "module ow: absent (virtual board: present)",
        "echo at boot: off (virtual board: on)",
    ]
    assert int(report["tests_passed"]) >= 20  # type: ignore[call-overload]
    assert sorted(report["same"]) == sorted(SOME.split(","))  # type: ignore[arg-type,type-var]


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_an_equal_board_differs_in_nothing(tmp_path: Path) -> None:
    with board_process("--pty", str(tmp_path / "pty")) as process:
        announced(process)
        report = compared(tmp_path / "report.md", "--no-tests", "--port", str(tmp_path / "pty"), "--scenarios", SOME)
    assert report["differences"] == []
    # A pseudo-terminal has no lines, so what leaves the board without a prompt is not played on it.
    assert list(report["not_played"]) == ["uarton_n0_raw"]  # type: ignore[call-overload]


@pytest.mark.timeout(300)
def test_the_speed_is_kept_for_other_virtual_boards(tmp_path: Path) -> None:
    kept = tmp_path / "calibration.json"
    only = ("--no-tests", "--scenarios", "none")
    compared(tmp_path / "report.md", *only, "--port", "virtual:?cpu=2", "--calibration", str(kept))
    slow = json.loads(kept.read_text())
    report = compared(tmp_path / "again.md", *only, "--port", f"virtual:?calibration={kept}")
    figures = report["figures"]
    assert isinstance(figures, dict)
    for name in ("instruction_us", "c_call_us"):
        assert figures[name] == pytest.approx(slow[name], rel=0.25)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--port", "no-such-port"], 1, "no-such-port"),
        (["--port", "virtual:?lua=6"], 2, "lua=6"),
        (["--port", "virtual:", "--scenarios", "repl_bassic"], 2, "repl_bassic is not a console scenario"),
        (["--port", "virtual:", "--profile", "no-such"], 2, "There is no profile no-such"),
        (["--port", "virtual:", "--tests", "docs"], 2, "There is no folder hil in docs"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], status: int, words: str) -> None:
    run = hil(*arguments)
    assert run.returncode == status
    assert words in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
