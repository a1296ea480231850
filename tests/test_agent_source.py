import re

import lupa.lua51
import lupa.lua53
import pytest

from bridge.agent_source import CORE, ROOMS, core, digest, leave, member, room, room_of, stop_sequence
from bridge.errors import LocalProtocolError
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec

CODEC = Codec(CheckKind.CRC, 0x1234)


def every_piece() -> dict[str, bytes]:
    pieces = {piece.name: piece.text for piece in core(CODEC)}
    pieces["check_sum"] = core(Codec(CheckKind.SUM, 1))[CORE.index("check")].text
    return pieces | {f"{name} {number}": piece for name in ROOMS for number, piece in enumerate(room(name))}


@pytest.mark.parametrize("module", [lupa.lua51, lupa.lua53])
@pytest.mark.parametrize("name", list(every_piece()))
def test_every_piece_compiles_on_both_versions(name: str, module: object) -> None:
    lua = module.LuaRuntime(encoding=None)  # type: ignore[attr-defined]
    compiled, error = lua.eval(b"function(s) return (loadstring or load)(s) end", None)(every_piece()[name]), None
    assert compiled is not None, error


@pytest.mark.parametrize("name", list(every_piece()))
def test_no_piece_is_large_to_compile(name: str) -> None:
    # Compiling takes eight times the source for a moment (recording mem_chunks).
    assert len(every_piece()[name]) <= 1300


def test_the_resident_part_stays_small() -> None:
    assert sum(len(piece.text) for piece in core(CODEC)) <= 3870


def test_constants_are_filled_in() -> None:
    whole = b"".join(every_piece().values())
    assert re.search(rb"@\w+@", whole) is None
    assert b"4660" in whole and str(0x1234 ^ 0x5A5A).encode() in whole
    assert digest().encode() in whole


def test_only_escapes_that_mean_the_same_everywhere() -> None:
    for text in every_piece().values():
        assert not re.search(rb"\\[^0-9]", text)
        assert b"//" not in text and b"setfenv" not in text and b"setonerror" not in text


def test_the_digest_is_stable_and_short() -> None:
    assert digest() == digest() and re.fullmatch("[0-9a-f]{8}", digest())


def test_members_name_their_rooms() -> None:
    assert room_of("net.send") == ("objects", "flow", "net", "net_send")
    assert room_of("net.listen") == ("objects", "flow", "net", "net_make", "server")
    assert room_of("net.udp") == ("objects", "flow", "net", "udp")
    assert room_of("release") == ("objects",)
    assert re.fullmatch(rb"return\(\.\.\.\)\[\d+\]", member("net.send"))


def test_leaving_is_source_and_fits_frames_that_any_agent_takes() -> None:
    assert leave().count(b"local a=...") == 3
    frames = stop_sequence().split(b"\0")
    assert len(frames) == 7 and frames[-1] == b"" and max(map(len, frames)) < 242


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="no net.fly"):
        room_of("net.fly")
    with pytest.raises(LocalProtocolError, match="no file"):
        room("fly")
