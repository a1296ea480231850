"""`nodemcu-bridge rack`, on virtual boards behind RFC 2217."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.child_python import module_environment
from bridge.rack.health import Evidence, failures, record_failure
from bridge.rack.load import load_rack
from tests.board_process import announced, board_process
from tests.cli.invoke import invoke
from tests.rack.witness import witness
from tests.test_docs import python_blocks
from tests.test_layers import ROOT

MAC = "5c:cf:7f:00:00:01"
#: Says where its board is, and asks it something.
PROGRAM = """
import os, bridge.sync
print(os.environ["NODEMCU_PLACE"], flush=True)
with bridge.sync.open_board(os.environ["NODEMCU_BOARD_URL"]) as board:
    print(board.eval("6*7"), flush=True)
raise SystemExit(7)
"""


@pytest.fixture
def rack(tmp_path: Path) -> Iterator[str]:
    """A rack file with a board that is there."""
    with board_process("--rfc2217", "127.0.0.1:0", "--mac", MAC, "--no-baud-pacing") as process:
        url = announced(process)[1]
        (tmp_path / "rack.yaml").write_text(
            f"version: 1\nstate: state\nplaces:\n  - {{name: one, port: '{url}', mac: '{MAC}', tags: [x]}}\n"
        )
        yield str(tmp_path / "rack.yaml")


def test_a_program_runs_on_a_board_and_its_exit_code_is_ours(
    rack: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", module_environment()["PYTHONPATH"])
    monkeypatch.setenv("NODEMCU_RACK", rack)
    code, out, err = invoke(capfd, "rack", "claim", "--tag", "x", "--", sys.executable, "-c", PROGRAM)
    assert (code, out.split(), err) == (7, ["one", "42"], "")
    # Failures before something worked are no row.
    place, state = load_rack(Path(rack)).places[0], Path(rack).parent / "state"
    for number in (1, 2):
        record_failure(place, Evidence(f"failure {number}"), folder=state)
        assert len(failures(place, folder=state)) == number
        assert invoke(capfd, "rack", "claim", "--", "false")[0] == 1
    assert invoke(capfd, "rack", "claim", "--", "true") == (0, "", "")
    assert failures(place, folder=state) == ()
    code, _, err = invoke(capfd, "rack", "claim", "--", "/no/such/program")
    assert (
        code == 2
        and err == "nodemcu-bridge: /no/such/program cannot be run (No such file or directory). Check its name.\n"
    )
    code, _, err = invoke(capfd, "rack", "claim", "--tag", "y", "--", "true")
    assert code == 2 and "one lacks the tag y" in err
    code, _, err = invoke(capfd, "rack", "claim", "--place", "two", "--", "true")
    assert code == 2 and "The rack has no place two. It has one." in err


def held(url: str, folder: Path, *words: str) -> subprocess.Popen[str]:
    (folder / "rack.yaml").write_text(f"version: 1\nstate: state\nplaces:\n  - {{name: one, port: '{url}'}}\n")
    command = [sys.executable, "-P", "-m", "bridge.cli", "rack", "claim", "--rack", str(folder / "rack.yaml"), *words]
    return subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=module_environment())


def test_status_says_who_holds_it_and_the_next_one_waits(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with held(url, tmp_path, "--purpose", "nightly", "--", "sh", "-c", "echo runs; exec sleep 60") as process:
            assert process.stdout is not None and process.stdout.readline() == "runs\n"
            file = str(tmp_path / "rack.yaml")
            code, out, _ = invoke(capfd, "rack", "status", "--rack", file)
            assert code == 0 and f"one  held         {url}  PID {process.pid} (nodemcu-bridge rack, " in out
            assert "for nightly for" in out
            code, _, err = invoke(capfd, "rack", "claim", "--rack", file, "--timeout", "0.1", "--", "true")
            assert code == 1 and f"one is held by PID {process.pid}" in err and "Wait longer" in err
            # Ended by a signal it gives the board back, and ends what it runs.
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 143
            assert invoke(capfd, "rack", "claim", "--rack", file, "--timeout", "20", "--", "true")[0] == 0
            assert "one  free" in invoke(capfd, "rack", "status", "--rack", file)[1]


def test_a_program_is_ended_when_the_lease_is_lost(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with witness() as seen:
        with held(f"socket://127.0.0.1:{seen.port}", tmp_path, "--", "sh", "-c", "echo runs; exec sleep 60") as process:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline() == "runs\n"
            record = json.loads(next((tmp_path / "state").glob("*.lease")).read_text())
            os.kill(record["keeper"], signal.SIGKILL)
            assert process.wait(20) == 1
            assert (
                "one is leased no more: its keeper, the process that had the port, has ended" in process.stderr.read()
            )


def test_healing_gives_a_place_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rack.yaml").write_text("version: 1\nstate: state\nplaces:\n  - {name: one, port: 'virtual:'}\n")
    file = str(tmp_path / "rack.yaml")
    rack = load_rack(tmp_path / "rack.yaml")
    assert (
        "one was not quarantined; 0 failures are forgotten" in invoke(capfd, "rack", "heal", "one", "--rack", file)[1]
    )
    for _ in range(3):
        record_failure(rack.places[0], Evidence("it smokes"), folder=tmp_path / "state")
    code, _, err = invoke(capfd, "rack", "claim", "--rack", file, "--", "true")
    assert code == 2 and "is quarantined since" in err and "rack heal one" in err
    assert "3 failures, the last at" in invoke(capfd, "rack", "status", "--rack", file)[1]
    assert "It is given to programs again" in invoke(capfd, "rack", "heal", "one", "--rack", file)[1]
    assert invoke(capfd, "rack", "claim", "--rack", file, "--", "true")[0] == 0
    code, _, err = invoke(capfd, "rack", "heal", "two", "--rack", file)
    assert code == 2 and "The rack has no place two" in err


def test_check_says_what_is_in_a_file_or_what_is_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rack.yaml"
    path.write_text(
        f"version: 1\nplaces:\n  - {{name: one, port: x, mac: '{MAC}', tags: [t], capabilities: {{modules: [net]}}}}\n"
    )
    code, out, _ = invoke(capfd, "rack", "check", str(path))
    assert code == 0 and f"one: x; MAC address {MAC}; tags t; modules net" in out and "is right: 1 places" in out
    path.write_text("version: 1\nplaces:\n  - {name: one, prot: x}\n")
    code, _, err = invoke(capfd, "rack", "check", str(path))
    assert code == 2 and err == f"nodemcu-bridge: {path}, line 3: places.0.prot is not a key of a rack file.\n"


def test_which_rack_must_be_said(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODEMCU_RACK", raising=False)
    code, _, err = invoke(capfd, "rack", "status")
    assert code == 2 and "Give its file by --rack, or in NODEMCU_RACK" in err


def test_the_program_of_the_guide_runs_on_the_example(tmp_path: Path) -> None:
    [program] = python_blocks(ROOT / "docs" / "guides" / "racks.md")
    text = (ROOT / "examples" / "rack" / "rack.yaml").read_text()
    with board_process("--rfc2217", "127.0.0.1:0", "--shelf", "3", "--no-baud-pacing") as shelf:
        for number in range(3):
            text = text.replace(f"rfc2217://127.0.0.1:{4001 + number}", announced(shelf)[1])
        (tmp_path / "rack.yaml").write_text(text)
        command = [sys.executable, "-P", "-c", program]
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=module_environment()
        )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[0] in ("shelf-1", "shelf-2", "shelf-3") and int(run.stdout.split()[1]) > 5000
