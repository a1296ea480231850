import pytest

from bridge import agent_source
from bridge.agent import _Code
from bridge.errors import LocalProtocolError
from bridge.link.shapes import ShapeTable, direct_arguments
from bridge.wire.messages import FIRST_SHAPE, ONCE
from bridge.wire.values import Handle


def test_targets_become_source_made_of_names_alone() -> None:
    shapes = ShapeTable(_Code())
    assert shapes.source("gpio.write").startswith(b"return gpio.write or error(")
    assert shapes.source(":send") == b"return function(o,...)return o:send(...)end"
    assert shapes.source("@net.send") == agent_source.member("net.send")


@pytest.mark.parametrize("target", ["", "1x", "a b", "a.b()", ":", ":a.b", "@", "a..b", "a.", "x\n", "äh", "f() --"])
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(LocalProtocolError):
        ShapeTable(_Code()).source(target)


def test_rooms_that_a_target_needs() -> None:
    shapes = ShapeTable(_Code())
    assert shapes.rooms("@net.listen", (Handle(1),)) == ("objects", "flow", "net", "net_make", "server")
    assert shapes.rooms(":send", (Handle(1),)) == ("objects", "numbers", "values")
    assert shapes.rooms("gpio.write", (4, 1)) == ("objects", "numbers", "values")
    assert shapes.rooms("node.heap", ()) == ()


def test_arguments_of_the_agents_own_functions() -> None:
    assert direct_arguments((Handle(258), 3, b"data")) == b"\1\2\0\3data"
    assert direct_arguments((Handle(1), 80, None)) == b"\0\1\0\x50"
    assert direct_arguments(("30",)) == b"30"
    with pytest.raises(LocalProtocolError, match="65536"):
        direct_arguments((65536,))


def test_numbers_are_kept_and_the_least_used_gives_way() -> None:
    shapes = ShapeTable(_Code())
    own = shapes.define("@net.send")
    numbers = [shapes.define(f"t{n}") for n in range(ONCE - FIRST_SHAPE)]
    assert numbers == list(range(FIRST_SHAPE, ONCE)) and 0 < own < FIRST_SHAPE
    assert shapes.known("t0") == numbers[0]  # used: now t1 has not been used for longest
    assert shapes.define("new") == numbers[1]
    assert shapes.known("t1") is None and shapes.known("t0") == numbers[0] and shapes.known("@net.send") == own
    shapes.drop("new")
    assert shapes.known("new") is None
