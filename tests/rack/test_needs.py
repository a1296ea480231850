from __future__ import annotations

from bridge.rack.model import Capabilities, Place
from bridge.rack.needs import Needs

PLAIN = Place(name="plain", port="socket://h:1")
RICH = Place(
    name="rich", port="socket://h:2", tags=["fast", "lua51"],
    capabilities=Capabilities(flash=1 << 20, modules=["net", "tmr"], lua="5.1"),
)  # fmt: skip


def test_what_is_not_promised_is_said() -> None:
    needs = Needs(modules=frozenset({"tls", "net"}), tags=frozenset({"slow"}), flash=1 << 22, lua="5.3", place="other")
    assert needs.missing(RICH) == [
        "is not other",
        "lacks the tag slow",
        "lacks the module tls",
        "has 1048576 bytes of flash, not 4194304",
        "has Lua 5.1, not 5.3",
    ]
    assert str(needs) == "module net, module tls, tag slow, 4194304 bytes of flash, Lua 5.3, place other"
    assert str(Needs()) == "any board"


def test_what_a_place_says_nothing_of_counts_as_promised() -> None:
    assert Needs(modules=frozenset({"tls"}), flash=1, lua="5.3").missing(PLAIN) == []


def test_the_least_that_fits_comes_first() -> None:
    assert [place.name for place in Needs().fitting([RICH, PLAIN])] == ["plain", "rich"]
    assert [place.name for place in Needs(tags=frozenset({"fast"})).fitting([PLAIN, RICH])] == ["rich"]
