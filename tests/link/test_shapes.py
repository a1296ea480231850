import pytest

from bridge import agent_source
from bridge.agent import _Code
from bridge.errors import LocalProtocolError
from bridge.link.shapes import ONCE, ShapeTable, source_messages
from bridge.wire.messages import MAX_SOURCE


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
    assert shapes.rooms("@net.listen") == ("net", "server")
    assert shapes.rooms(":send") == ()
    assert shapes.rooms("node.heap") == ("values",)


def test_numbers_are_kept_and_the_least_used_gives_way() -> None:
    shapes = ShapeTable(_Code())
    numbers = [shapes.define(f"t{n}") for n in range(ONCE - 1)]
    assert sorted(numbers) == list(range(1, ONCE))
    assert shapes.known("t0") == numbers[0]  # used: now t1 has not been used for longest
    assert shapes.define("new") == numbers[1]
    assert shapes.known("t1") is None and shapes.known("t0") == numbers[0]
    shapes.drop("new")
    assert shapes.known("new") is None


def test_source_travels_in_pieces() -> None:
    text = bytes(range(256)) * 9
    pieces = source_messages(text)
    assert b"".join(piece.text for piece in pieces) == text
    assert max(len(piece.text) for piece in pieces) == MAX_SOURCE
    assert [piece.text for piece in source_messages(b"")] == [b" "]
