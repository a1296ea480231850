from __future__ import annotations

import asyncio
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.virtual import clock
from bridge.virtual.chip import make_image
from bridge.virtual.chip.image import STAND_IN_MARK, find_facts, parse
from bridge.virtual.chip.make_image import Recipe, make, stock_image
from bridge.virtual.options import VirtualOptions
from tests.homeless import be_homeless


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "nodemcu-bridge" / "images"


def test_image_says_what_the_recipe_asked_for(cache: Path) -> None:
    data = make(Recipe(("net", "node", "tmr"), lua="5.3", number="integer", ssl=True, flash_size=1 << 20))
    image, facts = parse(data), find_facts(data)
    assert image is not None and image.valid and image.size_nibble == 2 and image.mode == 2
    assert facts is not None
    assert (facts.lua, facts.number, facts.ssl) == ("5.3", "integer", True)
    assert facts.modules == ("net", "node", "tmr")
    assert facts.lua_release == "Lua 5.3.6" and facts.sdk == "3.0.1-dev(fce080e)"
    assert facts.stand_in and STAND_IN_MARK in facts.banner


def test_the_stand_in_for_2x_says_what_a_build_of_2x_says(cache: Path) -> None:
    facts = find_facts(make(Recipe.of(VirtualOptions(firmware="2.2.1", modules="net,node"))))
    assert facts is not None and facts.is_2x and facts.stand_in
    assert (facts.version, facts.lua_release, facts.sdk) == ("2.2.1.0", "Lua 5.1.4", "2.2.1(6ab97e9)")
    assert (facts.modules, facts.number, facts.release) == (("net", "node"), "float", "")
    assert "build type" not in facts.banner and "LFS" not in facts.banner
    whole = find_facts(make(Recipe(("node",), number="integer", firmware="2.2.1")))
    assert whole is not None and whole.number == "integer"


def test_image_has_the_size_and_density_of_a_stock_build(cache: Path) -> None:
    data = make(Recipe.of(VirtualOptions()))
    assert 400_000 < len(data) < 500_000
    assert 0.5 < len(zlib.compress(data, 9)) / len(data) < 0.75


def test_esptool_reads_the_image(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "app.bin"
    file.write_bytes(make(Recipe(("node",))))
    command = [sys.executable, "-m", "esptool", "--chip", "esp8266", "image-info", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(valid)" in done.stdout and "DIO" in done.stdout and "4MB" in done.stdout


def test_image_is_made_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make(Recipe(("node",)))
    monkeypatch.setattr(make_image, "_esptool", None)
    assert make(Recipe(("node",))) == first
    assert len(list(cache.iterdir())) == 1


def test_damaged_cache_is_not_believed(cache: Path) -> None:
    first = make(Recipe(("node",)))
    (file,) = cache.iterdir()
    damaged = bytearray(first)
    damaged[0x20000] ^= 1
    file.write_bytes(damaged)
    assert make(Recipe(("node",))) == first
    assert file.read_bytes() == first


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nodemcu-bridge").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_facts(make(Recipe(("node",)))) is not None


def test_recipes_make_different_images(cache: Path) -> None:
    images = {make(recipe) for recipe in (Recipe(("node",)), Recipe(("net",)), Recipe(("node",), flash_size=1 << 19))}
    assert len(images) == 3


def test_esptool_configuration_of_the_user_changes_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "esptool.cfg").write_text("[esptool]\nnonsense = 1\n")
    assert find_facts(make(Recipe(("node",)))) is not None


@pytest.mark.parametrize(
    "arguments,text",
    [
        ({"modules": ("no such",)}, "'no such' is not the name of a module"),
        ({"modules": (), "lua": "5.2"}, "lua=5.2"),
        ({"modules": (), "number": "quad"}, "number=quad"),
        ({"modules": (), "flash_size": 5}, "5 bytes does not exist"),
    ],
)
def test_recipes_that_cannot_be(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Recipe(**arguments)  # type: ignore[arg-type]


def test_stock_image_on_both_clocks(cache: Path) -> None:
    options = VirtualOptions(modules="node")
    assert clock.run(stock_image(options)) == asyncio.run(stock_image(options))


def test_without_a_home_folder_there_is_no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And no folder that is called "~". esptool by itself would not start."""
    (tmp_path / "work").mkdir()
    be_homeless(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path / "work")
    recipe = Recipe(("node",))
    assert find_facts(make(recipe)) is not None
    assert make_image._cached(recipe) is None and not list(Path().iterdir())
