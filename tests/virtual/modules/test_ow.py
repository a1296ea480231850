"""1-Wire: the checksums as recorded, and what an empty bus answers."""

from __future__ import annotations

import json
from pathlib import Path

from tests.virtual.asked import answer, answers, error

RECORDED = Path(__file__).parents[2] / "ground_truth" / "numbers" / "ow.json"


def test_every_recorded_answer() -> None:
    steps = json.loads(RECORDED.read_text())["steps"]
    sent = [step["send"].rstrip("\n") for step in steps if "send" in step]
    wanted = [
        step["recv"].partition("\r\n")[2].removesuffix("> ").removesuffix("\r\n") for step in steps if "recv" in step
    ]
    plain = [(s, w) for s, w in zip(sent, wanted, strict=True) if "host." not in s and s != "=ow"]
    assert len(plain) > 100
    said = answers(*(s for s, _ in plain))
    assert said == [w for _, w in plain]


def test_an_empty_bus() -> None:
    said = answers(
        "ow.setup(3) print(ow.reset(3),ow.read(3),ow.search(3))",
        "ow.skip(3) ow.select(3,{1,2,3,4,5,6,7,8}) ow.write(3,0x44,1) print(ow.read_bytes(3,3):byte(1,-1))",
        "=ow.read_bytes(3,0)",
        "ow.reset_search(3) ow.target_search(3,0x28) ow.depower(3) ow.set_timings(1,2,nil,4)",
    )
    assert said == ["0\t255\tnil", "255\t255\t255", "", ""]


def test_bus_timings_are_waited_out() -> None:
    said = answer("local t=tmr.now() ow.reset(3) local u=tmr.now() ow.read(3) print(u-t,tmr.now()-u)")
    assert said == "962\t520"


def test_wrong_arguments() -> None:
    assert error("ow.setup(0)") == "no 1-wire for D0"
    assert error("ow.reset(13)") == "ow 13 does not exist"
    assert error("ow.write(3,256)") == "wrong arg range"
    assert error("ow.select(3,{1})") == "wrong arg range"
    assert error('ow.select(3,"1234567")') == "wrong arg range"
    assert error("ow.read_bytes(3,257)") == "bad argument #2 to 'read_bytes' (Attempt to read too many characters)"
