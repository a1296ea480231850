from __future__ import annotations

import json

import pytest

from tests.cli.invoke import BOARD, invoke


def test_for_people_and_for_programs(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "info", "--port", BOARD)
    assert (code, err) == (0, "")
    lines = dict(line.split(None, 1) for line in out.splitlines())
    assert lines["version"] == "3.0.0" and "net" in lines["modules"]
    code, out, err = invoke(capfd, "info", "--port", f"{BOARD}&lua=5.3", "--json", "--profile", "virtual")
    found = json.loads(out)
    assert (code, err, found["lua"], found["port"]) == (0, "", "Lua 5.3", f"{BOARD}&lua=5.3")


def test_an_unknown_profile(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "info", "--port", BOARD, "--profile", "sparrow")
    assert (code, out) == (2, "") and "There is no profile sparrow" in err
