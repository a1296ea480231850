"""A sick board from its first failure to its healing, by the commands that a rack's owner has."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bridge.sync
from tests.board_process import announced, board_process
from tests.cli.invoke import invoke

WELL, SICK = "5c:cf:7f:00:00:01", "5c:cf:7f:00:00:02"


@contextmanager
def board(mac: str, port: str = "127.0.0.1:0") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with board_process("--rfc2217", port, "--mac", mac, "--no-baud-pacing", "--cpu", "0") as process:
        try:
            yield announced(process)[1], process
        finally:
            process.send_signal(signal.SIGCONT)


def restarts_for_ever(url: str, process: subprocess.Popen[str]) -> None:
    with bridge.sync.open_board(url) as made:
        made.exec("""file.putcontents("init.lua", "print('brown-out') node.restart()")""")
    process.send_signal(signal.SIGUSR1)


def hangs(url: str, process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGSTOP)


@pytest.mark.parametrize("falls_ill", [restarts_for_ever, pytest.param(hangs, marks=pytest.mark.nightly)])
def test_three_failures_set_a_place_aside_until_it_is_healed(
    falls_ill: object, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(falls_ill)
    file = tmp_path / "rack.yaml"
    monkeypatch.setenv("NODEMCU_RACK", str(file))
    with board(WELL) as (well, _):
        with board(SICK) as (sick, process):
            # With more to offer, the place of the other is what is left for who needs nothing of it.
            file.write_text(
                "version: 1\nstate: state\nplaces:\n"
                f"  - {{name: sick, port: '{sick}', mac: '{SICK}'}}\n"
                f"  - {{name: well, port: '{well}', mac: '{WELL}', tags: [more]}}\n"
            )
            falls_ill(sick, process)
            code, _, err = invoke(capfd, "rack", "claim", "--place", "sick", "--", "true")
            assert code == 1 and "sick: the board does not answer at its prompt" in err and sick in err
            for _ in range(2):
                code, out, err = invoke(capfd, "rack", "claim", "--", "sh", "-c", "echo $NODEMCU_PLACE")
                assert (code, out) == (0, "well\n"), "it goes on with the other one"
                assert "sick: the board does not answer at its prompt" in err and sick in err
            code, out, err = invoke(capfd, "rack", "claim", "--", "sh", "-c", "echo $NODEMCU_PLACE")
            assert (code, out, err) == (0, "well\n", "")
            code, _, err = invoke(capfd, "rack", "claim", "--place", "sick", "--", "true")
            assert code == 2 and "quarantined since" in err and "nodemcu-bridge rack heal sick" in err and sick in err
            found = json.loads(invoke(capfd, "rack", "status", "--json")[1])["places"][0]
            assert found["state"] == "quarantined" and len(found["failures"]) == 3
            evidence = found["failures"][-1]
            assert evidence["port"] == sick and evidence["what"] and evidence["user"] and evidence["at"] > 0
            if falls_ill is restarts_for_ever:
                assert "brown-out" in evidence["console"], "what it printed is kept"
            assert "sick  quarantined" in invoke(capfd, "rack", "status")[1]
            assert "sick   quarantined" in invoke(capfd, "rack", "watch", "--once")[1]
        with board(SICK, sick.removeprefix("rfc2217://")):
            code, _, err = invoke(capfd, "rack", "claim", "--place", "sick", "--", "true")
            assert code == 2, "a person says when it is well"
            assert "It is given to programs again" in invoke(capfd, "rack", "heal", "sick")[1]
            code, out, err = invoke(capfd, "rack", "claim", "--", "sh", "-c", "echo $NODEMCU_PLACE")
            assert (code, out, err) == (0, "sick\n", "")
            assert json.loads(invoke(capfd, "rack", "status", "--json")[1])["places"][0]["failures"] == []
