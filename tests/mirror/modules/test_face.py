"""What holds for all faces: their constants and functions are those of the firmware."""

from __future__ import annotations

import re

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError
from bridge.mirror.modules.face import Face, check_busy, check_whole, given
from tests.test_layers import ROOT

PAGE = ROOT / "docs" / "reference" / "modules.md"
#: Functions that are left to `board.lua`, as docs/reference/modules.md says.
LEFT = {
    "file": {"close", "flush", "on", "read", "readline", "seek", "write", "writeline"},
    "node": {"flashindex", "flashreload", "setpartitiontable", "sleep"},
    "wifi": {"resume", "suspend"},
}
FACES = ["adc", "file", "gpio", "node", "tmr", "uart", "wifi", "wifi.sta", "wifi.ap", "wifi.ap.dhcp", "wifi.eventmon"]


def face_of(board: Board, path: str) -> Face:
    found: object = board
    for name in path.split("."):
        found = getattr(found, name)
    assert isinstance(found, Face) and found.MODULE == path and repr(found) == f"<module {path}>"
    return found


async def entries(board: Board, path: str, kind: str) -> dict[bytes, object]:
    source = f"local t = {{}} for k, v in pairs({path}) do if type(v) == ... then t[k] = tostring(v) end end return t"
    return dict(await board.exec(source, kind) or {})


@pytest.mark.parametrize("path", FACES)
async def test_constants_are_those_of_the_firmware(board: Board, path: str) -> None:
    wanted = {name.decode(): value for name, value in (await entries(board, path, "number")).items()}
    face = face_of(board, path)
    given = {
        name: b"%d" % getattr(face, name) for name in dir(face) if name.isupper() and name not in ("MODULE", "LFS")
    }
    assert given == wanted


@pytest.mark.parametrize("path", FACES)
async def test_functions_are_those_of_the_firmware(board: Board, path: str) -> None:
    names = {name.decode() for name in await entries(board, path, "function")}
    face = face_of(board, path)
    assert {name for name in names if not callable(getattr(face, name, None))} == LEFT.get(path, set())
    more = {
        name
        for name in dir(face)
        if not name.startswith("_") and callable(getattr(face, name)) and name not in ("reason", *names)
    }
    assert more == set()


@pytest.mark.parametrize("path", [*FACES, "node.LFS"])
async def test_the_page_names_each_function(board: Board, path: str) -> None:
    face = face_of(board, path)
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `board.{path}` |"))
    named = set(re.findall(r"`(\w+)`", row.split("|")[2])) - {"reason"}
    own = {name for kind in type(face).mro() if issubclass(kind, Face) for name in vars(kind)}
    assert named == {name for name in own if not name.startswith("_") and name not in ("MODULE", "reason")}


def test_arguments_that_were_left_out() -> None:
    assert (given(), given(None, None), given(1, None, 2, None)) == ((), (), (1, None, 2))


def test_what_would_silence_the_board_is_refused() -> None:
    check_busy(5_000_000, "x")
    with pytest.raises(UsageError, match=r"x would keep the board busy for 5\.5 s"):
        check_busy(5.5e6, "x")


def test_what_lua_would_make_another_number_of_is_refused() -> None:
    for value in (0, -(1 << 31), (1 << 31) - 1):
        check_whole(value, "x")
    for wrong in ("0", b"0", 0.0, 9.5, 1 << 31, None):
        with pytest.raises(UsageError, match="x is a whole number"):
            check_whole(wrong, "x")


async def test_a_module_that_the_firmware_lacks(board: Board) -> None:
    class Nosuch(Face):
        MODULE = "nosuch"

    with pytest.raises(LuaError, match="nosuch"):
        await Nosuch(board._current)._one("read")
