from __future__ import annotations

import pytest

from tests.cli.invoke import invoke
from tests.ports.test_discover import Listed, plug


def test_without_a_port_the_only_board_is_meant(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(monkeypatch, Listed("/dev/nosuchport", 0x10C4, 0xEA60))
    code, _, err = invoke(capfd, "info")
    assert code == 1 and "There is no port /dev/nosuchport" in err
    plug(monkeypatch, Listed("/dev/a", 1, 1), Listed("/dev/b", 1, 1))
    code, _, err = invoke(capfd, "info")
    assert code == 2 and "/dev/a, /dev/b" in err and "--port" in err
    plug(monkeypatch)
    code, _, err = invoke(capfd, "info")
    assert code == 1 and "Plug a board in" in err


@pytest.mark.parametrize("arguments", [["info", "--baud", "0"], ["info", "--nosuch"], ["nosuch"], ["exec"]])
def test_wrong_use_is_two(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = invoke(capfd, *arguments)
    assert (code, out) == (2, "") and "Traceback" not in err
