from __future__ import annotations

import pytest

from bridge.image.banner import find_facts
from bridge.virtual.chip.image import find_facts as find_facts_of_the_virtual_board
from bridge.virtual.chip.make_image import Recipe, make
from tests.image import stock_shape


def test_release_3() -> None:
    facts = find_facts(stock_shape.image(number="integer", modules="net,tls"))
    assert facts is not None
    assert (facts.version, facts.release, facts.build_date) == (
        "3.0.0.0",
        "3.0.0-release_20240225 +1",
        "2024-02-25 01:33",
    )
    assert (facts.lua, facts.number, facts.modules, facts.ssl) == ("5.1", "integer", ("net", "tls"), True)
    assert (facts.branch, facts.commit, facts.lfs_size) == ("release", stock_shape.COMMIT, 0x10000)
    assert facts.sdk == "3.0.1-dev(fce080e)" and facts.listed and not facts.stand_in


def test_a_build_service_s_release_2() -> None:
    facts = find_facts(stock_shape.image(release=2))
    assert facts is not None and facts.number == "float" and not facts.ssl and facts.lfs_size is None
    assert (facts.version, facts.build_date, facts.branch) == ("", "2019-04-06 12:00", "master")


@pytest.mark.parametrize(
    ("text", "version", "date", "modules", "listed"),
    [
        (b"NodeMCU custom build by frightanic.com\n\tbranch: master\n\tSSL: true\n\tmodules: file,net\n build \t"
         b"created on 2018-01-01 10:00\n powered by Lua 5.1.4 on SDK %s\n", "",
         "2018-01-01 10:00", ("file", "net"), True),
        (b"NodeMcu 0.9.2 build 20141212  powered by Lua 5.1.4", "0.9.2", "20141212", (), False),
        (b"NodeMCU 1.5.4.1 build unspecified powered by Lua 5.1.4 on SDK %s", "1.5.4.1", "", (), False),
        (b"NodeMCU 3.0.0.0 \n\tmodules: -\n build 2024-01-01 10:00 powered by Lua 5.1.4", "3.0.0.0", "2024-01-01 10:00",
         (), True),
    ],
)  # fmt: skip
def test_texts_of_other_times(text: bytes, version: str, date: str, modules: tuple[str, ...], listed: bool) -> None:
    facts = find_facts(b"noise\0" + text + b"\0noise")
    assert facts is not None
    assert (facts.version, facts.build_date, facts.modules, facts.listed) == (version, date, modules, listed)


def test_nothing() -> None:
    for data in (b"", b"NodeMCU", b"NodeMCU 3.0.0\0powered by Lua 5.1", b"powered by Lua 5.1.4"):
        assert find_facts(data) is None


@pytest.mark.parametrize("recipe", [
    Recipe(("net", "node")), Recipe(("net", "tls"), lua="5.3", number="double"), Recipe(("net",), firmware="2.2.1"),
], ids=str)  # fmt: skip
def test_the_virtual_board_s_own_reader_sees_the_same(recipe: Recipe) -> None:
    data = make(recipe)
    ours, theirs = find_facts(data), find_facts_of_the_virtual_board(data)
    assert ours is not None and theirs is not None
    for name in (
        "lua",
        "number",
        "modules",
        "ssl",
        "version",
        "release",
        "build_date",
        "branch",
        "commit",
        "sdk",
        "stand_in",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize(
    "text",
    [
        b"NodeMCU ", b"NodeMCU powered by Lua ", b"powered by Lua ", b"1.1.", b"1.1.1(", b"build 1  ", b" ", b"a:",
        b"NodeMCU 3.0.0 \tmodules: ",
    ],
    ids=str,
)  # fmt: skip
def test_what_is_made_to_take_long_does_not(text: bytes) -> None:
    """16 MB of it: by the square of the length this would take hours, and the test its time."""
    endless = text * ((16 << 20) // len(text))
    find_facts(endless)
    find_facts(b"NodeMCU " + endless[:5000] + b"powered by Lua 5.1" + endless)
