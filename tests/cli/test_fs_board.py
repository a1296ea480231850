from __future__ import annotations

from pathlib import Path

import pytest

from tests.board_process import announced, board_process
from tests.cli.invoke import BOARD, invoke


def test_nodemcu_uploader_steps_in(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.bin").write_bytes(bytes(range(256)))
    with board_process("--pty", "auto", "--modules", "file,net,node,uart,wifi", "--flash", "0") as process:
        path = announced(process)[1]
        told = (
            f"{path}: the agent cannot run here (The firmware has no module tmr, which the bridge needs), so "
            "nodemcu-uploader does it: slower, and a file that it replaces is lost if the power fails meanwhile.\n"
        )
        code, out, err = invoke(capfd, "fs", "put", "a.bin", "--port", path)
        assert (code, err) == (0, told) and "compared by raw" in out
        code, out, err = invoke(capfd, "fs", "ls", "--json", "--port", path)
        assert (code, err) == (0, told) and '"via": "nodemcu-uploader"' in out and '"size": 256' in out
        assert invoke(capfd, "fs", "get", "a.bin", "--to", "b.bin", "--port", path)[0] == 0
        assert Path("b.bin").read_bytes() == bytes(range(256))
        for command in (("df",), ("mv", "a.bin", "c"), ("sync", ".")):
            code, out, err = invoke(capfd, "fs", *command, "--port", path)
            assert (code, out) == (2, "") and err.count("\n") == 2 and "needs the agent" in err
        assert invoke(capfd, "fs", "rm", "a.bin", "--port", path)[0] == 0
        assert invoke(capfd, "fs", "cat", "a.bin", "--port", path)[0] == 1


def test_where_nothing_can_step_in(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = invoke(capfd, "fs", "ls", "--port", f"{BOARD}&modules=file,net,node,uart,wifi")
    assert (code, out, err.count("\n")) == (1, "", 1) and "no module tmr" in err


@pytest.mark.parametrize("command", [("ls",), ("format", "--yes"), ("df",), ("rm", "x"), ("cat", "x")])
def test_a_firmware_without_files(capfd: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    code, out, err = invoke(capfd, "fs", *command, "--port", f"{BOARD}&modules=net,node,tmr,uart,wifi")
    assert (code, out, err.count("\n")) == (1, "", 1) and "The firmware has no module file" in err
