from __future__ import annotations

import pytest

from bridge.errors import UsageError
from bridge.firmware.how import chosen_modules, find_recipe, instructions
from bridge.firmware.needs import read_needs

NEEDS = read_needs()


@pytest.mark.parametrize("recipe", NEEDS.recipes, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("tls", [True, False])
def test_both_services_are_told_the_same(recipe: object, tls: bool) -> None:
    chosen = find_recipe(NEEDS, recipe.lua, recipe.number)  # type: ignore[attr-defined]
    assert chosen == recipe
    modules = chosen_modules(NEEDS, tls=tls)
    text = instructions(NEEDS, chosen, modules)
    assert f"Modules ({len(modules)}): {', '.join(modules)}" in text
    assert "https://nodemcu-build.com" in text and "marcelstoer/nodemcu-build build" in text
    assert "Branch: release" in text and "-b release" in text
    assert f"Lua {chosen.lua}; TLS/SSL {'on' if tls else 'off'}" in text
    assert f"-e LUA={chosen.lua.replace('.', '')}" in text
    assert ("CLIENT_SSL_ENABLE" in text) == tls == ("tls" in modules)
    assert ("LUA_NUMBER_INTEGRAL" in text) == (chosen.number == "integer")
    assert f"-{'integer' if chosen.number == 'integer' else 'float'}.bin" in text


def test_modules_are_those_of_the_bridge_and_what_is_asked_for() -> None:
    modules = chosen_modules(NEEDS, tls=False, extra=("mqtt", "net"))
    assert modules == tuple(sorted(modules)) and "mqtt" in modules and modules.count("net") == 1
    assert set(NEEDS.needed) <= set(modules)


def test_a_build_that_was_never_tried() -> None:
    with pytest.raises(UsageError, match=r"not tried with Lua 5\.3 double.*Lua 5\.1 float"):
        find_recipe(NEEDS, "5.3", "double")
