"""How to get an image from NodeMCU's own build services: what to choose, word for word.

Sources: docs/build.md of the firmware; the scripts of the cloud service (marcelstoer/nodemcu-custom-build:
build.config, ESP8266/script.sh) and of the Docker image (marcelstoer/docker-nodemcu-build: README.md, build-esp8266).
"""

from __future__ import annotations

from bridge.errors import UsageError
from bridge.firmware.needs import Needs, Recipe
from bridge.image import in_words

#: app/include/user_config.h
_NUMBER_SWITCH = {"integer": "LUA_NUMBER_INTEGRAL", "double": "LUA_NUMBER_64BITS"}


def find_recipe(needs: Needs, lua: str, number: str) -> Recipe:
    """The recipe for a Lua and a type of number.

    Raises:
        UsageError: there is no such build.
    """
    for recipe in needs.recipes:
        if (recipe.lua, recipe.number) == (lua, number):
            return recipe
    known = ", ".join(f"Lua {recipe.lua} {recipe.number}" for recipe in needs.recipes)
    raise UsageError(f"The bridge is not tried with Lua {lua} {number}", remedy=f"It is with {known}.")


def chosen_modules(needs: Needs, *, tls: bool, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The modules to choose, in the order of the alphabet.

    Args:
        needs: of the bridge.
        tls: whether the board is to speak TLS itself.
        extra: what else is wanted.
    """
    names = {module.name for module in needs.modules if tls or module.name != "tls"}
    return tuple(sorted(names | {*extra}))


def instructions(needs: Needs, recipe: Recipe, modules: tuple[str, ...]) -> str:
    """The text for a person.

    Args:
        needs: of the bridge.
        recipe: what to build.
        modules: from `chosen_modules`; TLS is switched on if `tls` is among them.
    """
    tls = "tls" in modules
    listed = ", ".join(modules)
    switch = _NUMBER_SWITCH.get(recipe.number)
    kind = f"{recipe.branch} branch, Lua {recipe.lua}, {recipe.number} numbers"
    lines = [
        f"An image for the bridge: {kind}.",
        "",
        f"Modules ({len(modules)}): {listed}",
        f"Without {in_words(needs.needed)} the bridge does nothing; the others may be left out.",
        "",
        "From the cloud service, https://nodemcu-build.com:",
        "  1. Give your e-mail address; links to the images are sent there.",
        f"  2. Branch: {recipe.branch}.",
        f"  3. Modules: exactly the {len(modules)} above, and whatever else you use.",
        f"  4. Options: Lua {recipe.lua}; TLS/SSL {_switch(tls)}; LFS as you like (the bridge needs none); debug off;",
        "     FatFS off.",
        f"  5. Of the two images take the one whose name ends in -{_file_ending(recipe)}.bin.",
        "",
        "With Docker, on your own machine:",
        f"  git clone --recurse-submodules -b {recipe.branch} https://github.com/nodemcu/nodemcu-firmware.git",
        "  cd nodemcu-firmware",
        "  app/include/user_modules.h: `#define LUA_USE_MODULES_…` for exactly the modules above, the others commented",
        f"  app/include/user_config.h: {_config(tls, switch)}",
        f'  docker run --rm -ti -e LUA={recipe.lua.replace(".", "")} -v "$PWD":/opt/nodemcu-firmware '
        "marcelstoer/nodemcu-build build",
        f"  The image is bin/nodemcu_{'integer' if recipe.number == 'integer' else 'float'}_….bin.",
        "",
        "Then:",
        "  nodemcu-bridge firmware inspect FILE",
        "  nodemcu-bridge firmware add FILE",
        "  nodemcu-bridge flash FILE",
    ]
    return "\n".join(lines)


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _file_ending(recipe: Recipe) -> str:
    # The service makes both of Lua 5.1; Lua 5.3 ignores the switch between them (docs/lua53.md).
    return "integer" if recipe.number == "integer" else "float"


def _config(tls: bool, switch: str | None) -> str:
    wanted = [f"`#define {name}`" for name in ("CLIENT_SSL_ENABLE" if tls else None, switch) if name]
    return (" and ".join(wanted) + " without the // before") if wanted else "as it is"
